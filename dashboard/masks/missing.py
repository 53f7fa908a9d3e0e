"""Missing parts over many pictures: which fills keep the answers, and which mislead."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from components import missingness_curves, study_lines, study_words
from components.words import plain, sentence
from dashboard.heads import asking, selecting
from dashboard.masks.link import PREFIX
from dashboard.running import masks as running
from dashboard.running import scoring
from dashboard.running.models import identity
from dashboard.state import restore
from engine.errors import HaloscopeError
from engine.inputs.image_sets import ImageSet
from engine.inputs.samples import sample_sets
from engine.mask_results import MissingnessStudy
from engine.masking.fills.registry import FILLS, fills_for
from engine.missingness.study import StudyPlan
from engine.missingness.study_asking import plan_study

if TYPE_CHECKING:
    from dashboard.masks.choosing import Asked

OWN = "own"
_MANY = {"24": "24", "60": "60", "120": "120", "all": "all"}
_ORDERS = {
    "random": "At random",
    "most-salient": "The most salient first",
    "least-salient": "The least salient first",
}
_FIRST = ("mean", "black", "grey", "blur", "layer-masking", "token-drop")
_CELLS = {"blocks": "Blocks", "superpixels": "Superpixels"}


def show(asked: Asked, sets: Sequence[str]) -> None:
    """Show the choosers, what a study costs, and its curves."""
    with st.container(border=True, key="card-m-study"):
        st.markdown(
            "**Which fills keep the answers?** :gray[:small[ever more hidden, over many pictures]]"
        )
        images = _images(sets)
        if images is None:
            return
        try:
            plan = _planned(asked, images)
        except HaloscopeError as error:
            st.info(sentence(str(error)), icon=":material/info:")
            return
        found = _computed(plan)
        if found is not None:
            _curves(found)


def _images(sets: Sequence[str]) -> ImageSet | None:
    titles = {found.name: found.title for found in sample_sets()} | {OWN: "Your own folder or CSV"}
    options = [*sets, OWN]
    left, right = st.columns(2)
    restore.valid(f"{PREFIX}set-of-study", options)
    chosen = left.selectbox(
        "Pictures", options, format_func=titles.__getitem__, key=f"{PREFIX}set-of-study",
        persist_state="session",
    )  # fmt: skip
    right.selectbox(
        "How many", list(_MANY), key=f"{PREFIX}many", persist_state="session",
        help="As many of each class as can be.",
    )  # fmt: skip
    if chosen != OWN:
        return scoring.images(chosen, 0.0)
    return _own()


def _own() -> ImageSet | None:
    path = st.text_input(
        "Folder or CSV file on this machine", key=f"{PREFIX}set-path", persist_state="session",
        placeholder="/pictures/test",
        help="A folder that holds one folder for each class, or a CSV with the columns path and "
        "label. Without labels the share of answers that stay is told.",
    ).strip()  # fmt: skip
    if not path:
        return None
    place = Path(path).expanduser()
    try:
        return scoring.images(str(place), place.stat().st_mtime if place.exists() else 0.0)
    except HaloscopeError as error:
        st.error(sentence(str(error)))
        return None


def _planned(asked: Asked, images: ImageSet) -> StudyPlan:
    assert asked.model is not None
    model = asked.model
    common: dict[str, Any] = {"persist_state": "session"}
    left, right = st.columns(2)
    order = left.selectbox(
        "Hidden", list(_ORDERS), format_func=_ORDERS.__getitem__, key=f"{PREFIX}order", **common
    )
    cells = right.selectbox(
        "Cells", list(_CELLS), format_func=_CELLS.__getitem__, key=f"{PREFIX}kind", **common
    )
    suited = list(fills_for(model))
    key = f"{PREFIX}fills"
    if not set(st.session_state.get(key, suited)) <= set(suited):
        del st.session_state[key]
    st.session_state.setdefault(key, [name for name in suited if name in _FIRST])
    fills = st.multiselect(
        "Fills", suited, format_func=lambda name: FILLS[name].title, key=key, **common
    )
    many = st.session_state[f"{PREFIX}many"]
    count = None if many == "all" else min(int(many), len(images))
    asked_for = (identity(model), images.digest, tuple(fills), order, cells, count, asked.seed)
    return asking.planned(
        ("study", *asked_for),
        lambda: plan_study(
            model, images, fills=fills, order=order, cells=cells, count=count, seed=asked.seed
        ),
    )


def _computed(plan: StudyPlan) -> MissingnessStudy | None:
    with st.spinner("Finding out what it costs …"):
        seconds = running.seconds(plan.model, plan.cost, [FILLS[name] for name in plan.fills])
    job = asking.asked(
        "study", plan.key, seconds,
        f"{asking.passes(plan.cost)} over {len(plan.places)} pictures",
        lambda: running.submit_study(plan), quick=False,
    )  # fmt: skip
    if job is not None and job.state == "cancelled":
        st.caption("Cancelled. What was found for whole fills is kept: it goes on from there.")
    found = None if job is None else job.result
    return found if isinstance(found, MissingnessStudy) else None


def _curves(found: MissingnessStudy) -> None:
    known = study_lines.measures(found)
    restore.valid(f"{PREFIX}measure", list(known))
    st.session_state.setdefault(f"{PREFIX}measure", known[0])
    measure = st.segmented_control(
        "Measure",
        list(known),
        format_func=study_lines.TITLES.__getitem__,
        key=f"{PREFIX}measure",
        label_visibility="collapsed",
        persist_state="session",
        required=True,
    )
    selecting.chart(
        missingness_curves.figure(found, measure or known[0]), "m-study",
        missingness_curves.alt(found, measure or known[0]), name="study",
    )  # fmt: skip
    st.markdown(plain(study_words.kept_sentence(found)))
    st.markdown(plain(study_words.bias_sentence(found)))
    st.caption(plain(study_words.about(found)))
    st.download_button(
        "Study (safetensors)", found.encoded, f"missingness-{found.key[:8]}.safetensors",
        "application/octet-stream", key="m-download-study", on_click="ignore",
        icon=":material/dataset:",
    )  # fmt: skip
