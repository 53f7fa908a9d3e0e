"""The small network itself: what it is, how fast, as a file, and in Explore."""

from __future__ import annotations

import re
import shlex

import streamlit as st

from components import prune_costs, prune_names, prune_words, saying
from components.words import plain, sentence
from dashboard.controls.sidebar import forget_classes
from dashboard.own_model.asked import Asked as Named
from dashboard.own_model.asked import Found
from dashboard.prune import small
from dashboard.prune.keys import EPOCHS, PREFIX, ROUND, TRAININGS
from dashboard.prune.looked import Looked, chart
from dashboard.running import models, naming, own_models
from dashboard.running.own_models import OwnModel
from dashboard.running.shrunk import DENSE, GATED, SLICED, Small
from dashboard.state import restore
from engine.errors import HaloscopeError
from engine.inspection.inspecting import inspect_model
from engine.models.uploads import load_uploaded
from engine.pruning.saving import pruned_bytes
from engine.scores import change_of, share_of

_EXPLORE = "pages/explore.py"
_ROUNDED = {
    "16": "Multiples of 16", "8": "Multiples of 8", "1": "Any width",
}  # fmt: skip
_PROBLEM = "pr-load-problem"


def show(looked: Looked) -> None:
    """Draw it."""
    left, right = st.columns([6, 5])
    with left, st.container(border=True, key="card-pr-small"):
        st.markdown("**Cut to size** :gray[:small[units that went are no longer there]]")
        with st.container(horizontal=True, key="pr-made-how"):
            _choice(
                "round", _ROUNDED, ROUND, "Widths",
                "Odd widths are slow: rounding keeps the best of the units that would go.",
            )  # fmt: skip
            _choice(
                "epochs", TRAININGS, EPOCHS, "After the cut",
                "Trained on the calibrating pictures, to say of them what the untouched network "
                "says; judged on the others.",
            )  # fmt: skip
        found = small.cut(looked)
        if found is not None:
            _told(looked, found)
            _take_away(looked, found)
    with right, st.container(border=True, key="card-pr-time"):
        st.markdown("**How long a pass takes** :gray[:small[measured here, one picture]]")
        if found is None:
            st.caption("When the network is cut, at the left.")
        else:
            _time(looked, found)


def _choice(name: str, known: dict[str, str], usual: str, title: str, told: str) -> None:
    """Show one choice of how the network is made."""
    key = f"{PREFIX}{name}"
    restore.valid(key, list(known))
    st.session_state.setdefault(key, usual)
    st.selectbox(
        title, list(known), format_func=known.__getitem__, key=key, persist_state="session",
        help=told,
    )  # fmt: skip


def _told(looked: Looked, found: Small) -> None:
    sweep, display = looked.found, looked.found.display
    stay, gone = (
        sum(int(kept.sum()) for kept in one.values()) for one in (found.kept, looked.kept)
    )
    now, change = share_of(found.right), change_of(sweep.dense_right, found.right)
    what = prune_names.value_title(sweep, "accuracy")
    lines = [
        prune_words.costs_words(display["parameters"], found.costs.parameters),
        prune_words.costs_words(display["macs"], found.costs.macs, "MACs"),
        prune_words.costs_words(display["bytes"], found.costs.size, "B"),
        f"{what} {prune_names.told(now)}: {prune_names.points(change)} against the untouched "
        "network",
    ]
    if stay > gone:
        lines.append(f"rounding kept {saying.counted(stay - gone, 'unit')} more than was asked")
    st.markdown("\n".join(f"- {plain(line)}" for line in lines))
    st.caption(
        "Repaired, then cut; its answers were held against those of the network in which the same "
        "units are only switched off, and are the same."
        + (f" Then trained: {TRAININGS[str(small.epochs())].lower()}." if small.epochs() else "")
    )


def file_name(looked: Looked) -> str:
    """Return a name for the file: "scenes-resnet-50.safetensors"."""
    title = re.sub(r"[^a-z0-9]+", "-", looked.model.card.title.lower()).strip("-")
    return f"{title}-{100 * looked.settings.ratio:.0f}.safetensors"


def _take_away(looked: Looked, found: Small) -> None:
    name = file_name(looked)
    with st.container(horizontal=True, key="pr-take-away"):
        st.download_button(
            "The network (safetensors)", lambda: pruned_bytes(found.model, name), name,
            "application/octet-stream", key="pr-download", on_click="ignore", type="primary",
            icon=":material/download:",
        )  # fmt: skip
        st.download_button(
            "Its card (Markdown)", lambda: card(looked, found), f"{name.rpartition('.')[0]}.md",
            "text/markdown", key="pr-card", on_click="ignore", icon=":material/badge:",
        )  # fmt: skip
        st.button(
            "Open it in Explore", key="pr-explore", icon=":material/arrow_forward:",
            on_click=_open, args=(looked, found),
        )  # fmt: skip
    if st.session_state.get(_PROBLEM):
        st.error(sentence(st.session_state.pop(_PROBLEM)))
    with st.expander("From the command line and from Python", icon=":material/terminal:"):
        ref = shlex.quote(f"file:{name}")
        st.code(
            f"haloscope --model {ref}\n"
            f"haloscope explain --model {ref} --image picture.png --out map.safetensors",
            language="bash", wrap_lines=True,
        )  # fmt: skip
        st.code(f'import engine\n\nsmall = engine.load_model("file:{name}")', language="python")


def _open(looked: Looked, found: Small) -> None:
    """Put the network into the list, from the very file that is downloaded, and go to Explore."""
    state, name = st.session_state, file_name(looked)
    try:
        content = pruned_bytes(found.model, name)
        model = load_uploaded(content, name, "", device=looked.model.device)
        inspected = inspect_model(model)
    except HaloscopeError as error:
        state[_PROBLEM] = str(error)
        return
    if own_models.find(model.ref) is None:
        taken = {models.title(ref) for ref in models.references()}
        title = naming.title_for(inspected.title, model.ref, taken)
        own_models.add(OwnModel(title, model, Found(Named("", name), model, inspected), None))
    forget_classes()
    state["model"], state["run"] = model.ref, True
    for part in ("source", "sample", "uploaded", "fit"):
        if f"{PREFIX}{part}" in state:
            state[part] = state[f"{PREFIX}{part}"]
    state["pr-go-to"] = _EXPLORE


def card(looked: Looked, found: Small) -> str:
    """Return the card of the small network, in Markdown."""
    sweep, whole, own = looked.found, looked.model.card, looked.settings
    now, change = share_of(found.right), change_of(sweep.dense_right, found.right)
    what = prune_names.value_title(sweep, "accuracy")
    source = sweep.manifest["source"]
    times = small.known(looked)
    lines = [
        f"# {found.model.card.title}",
        "",
        found.model.card.summary,
        "",
        f"- made from: {whole.title} (`{looked.model.ref}`, digest {looked.model.digest[:12]})",
        f"- criterion: {own.criterion}; scope: {own.scope}; repair: {own.repair}; ratio asked: "
        f"{own.ratio:g}; widths in multiples of {small.rounding()}",
        f"- training after the cut: {TRAININGS[str(small.epochs())].lower()}",
        f"- {prune_words.costs_words(sweep.display['parameters'], found.costs.parameters)}",
        f"- {prune_words.costs_words(sweep.display['macs'], found.costs.macs, 'MACs')}",
        f"- {what} on {now.count} pictures of {source['images']}: {prune_names.told(now)}, "
        f"{prune_names.points(change)} against the untouched network",
        f"- calibrated on {sweep.manifest['outcome']['calibrated_on']} others of these pictures",
        *([f"- {prune_words.latency_sentence(*_three(times))}"] if times else []),
        f"- licence: {whole.licence or 'not told'}; origin: {whole.origin or 'not told'}",
        "",
        "| layer | units | stay |",
        "| --- | --- | --- |",
        *(
            f"| {one.name} | {one.size} | {int(found.kept[one.name].sum())} |"
            for one in sweep.layers
        ),
        "",
    ]
    return "\n".join(lines)


def _three(
    times: dict[str, prune_costs.Timing],
) -> tuple[prune_costs.Timing, prune_costs.Timing, prune_costs.Timing]:
    return times[DENSE], times[GATED], times[SLICED]


def _time(looked: Looked, found: Small) -> None:
    times = small.timed(looked, found)
    if times is None:
        st.caption(
            "Untouched, gated (units switched off) and cut to size, in turn. Masks save no time: "
            "zeros are multiplied as well."
        )
        return
    chart(prune_costs.latency(times, SLICED), "latency", prune_costs.alt(times))
    st.markdown(plain(prune_words.latency_sentence(*_three(times))))
