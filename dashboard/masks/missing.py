"""Missing parts over many pictures: which fills keep the answers, and which mislead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from components import fill_probes, missingness_curves, study_lines, study_words
from components.words import plain, sentence
from dashboard.controls import image_set
from dashboard.heads import asking, selecting
from dashboard.masks.link import PREFIX
from dashboard.running import masks as running
from dashboard.running.models import identity
from dashboard.state import restore
from engine.errors import HaloscopeError
from engine.inputs.image_sets import ImageSet
from engine.mask_results import Linearity, MissingnessStudy, ShapeLeak
from engine.masking.fills.registry import FILLS, fills_for
from engine.missingness.linearity import plan_linearity
from engine.missingness.probe import Probe
from engine.missingness.shape_leak import plan_shape_leak
from engine.missingness.study import StudyPlan
from engine.missingness.study_asking import plan_study
from engine.models.loaded import LoadedModel

if TYPE_CHECKING:
    from dashboard.masks.choosing import Asked

_MANY = {"24": "24", "60": "60", "120": "120", "all": "all"}
_ORDERS = {
    "random": "At random",
    "most-salient": "The most salient first",
    "least-salient": "The least salient first",
}
_FIRST = ("mean", "black", "grey", "blur", "layer-masking", "token-drop")
_QUESTIONS = {
    "curves": "Ever more hidden",
    "leak": "Does the outline tell?",
    "adding": "Do parts add up?",
}
_EXPLAINED = {
    "leak": "The object of each picture is hidden by its true mask; then, for comparison, the same "
    "shape is hidden half a picture away. Only pictures that were named right at first count.",
    "adding": "Four patches are kept, one at a time and all together. Methods that add scores up "
    "take for granted that both come to the same.",
}
_CELLS = {"blocks": "Blocks", "superpixels": "Superpixels"}


def show(asked: Asked, sets: Sequence[str]) -> None:
    """Show the choosers, what a study costs, and its curves; or one of the probes."""
    with st.container(border=True, key="card-m-study"):
        st.markdown("**Which fills can be trusted?** :gray[:small[over many pictures]]")
        question = _question()
        images = _images(sets)
        if images is None:
            return
        try:
            if question == "curves":
                _studied(asked, images)
            else:
                _probed(asked, images, question)
        except HaloscopeError as error:
            st.info(sentence(str(error)), icon=":material/info:")


def _question() -> str:
    restore.valid(f"{PREFIX}question", list(_QUESTIONS))
    restore.aloud(f"{PREFIX}question", "curves")
    chosen = st.segmented_control(
        "Question",
        list(_QUESTIONS),
        format_func=_QUESTIONS.__getitem__,
        key=f"{PREFIX}question",
        label_visibility="collapsed",
        persist_state="session",
        required=True,
    )
    return chosen or "curves"


def _studied(asked: Asked, images: ImageSet) -> None:
    found = _computed(_planned(asked, images))
    if found is not None:
        _curves(found)


def _probed(asked: Asked, images: ImageSet, question: str) -> None:
    """Show a probe: what it costs, then its chart and its sentence."""
    assert asked.model is not None
    st.caption(_EXPLAINED[question])
    model, fills = asked.model, _fills(asked.model)
    count, seed = _count(images), asked.seed
    make = plan_shape_leak if question == "leak" else plan_linearity
    plan = asking.planned(
        (question, identity(model), images.digest, tuple(fills), count, seed),
        lambda: make(model, images, fills=fills, count=count, seed=seed),
    )
    told = f"{asking.passes(plan.cost)} over {len(plan.places)} pictures"
    seconds = _seconds(plan)
    job = asking.asked(
        question, plan.key, seconds, told,
        lambda: running.submit_probe(plan, _QUESTIONS[question]), quick=False,
    )  # fmt: skip
    found = None if job is None else job.result
    if isinstance(found, ShapeLeak):
        said, drawn = fill_probes.leak_sentence(found), fill_probes.leak_figure(found)
    elif isinstance(found, Linearity):
        said, drawn = fill_probes.adding_sentence(found), fill_probes.adding_figure(found)
    else:
        return
    selecting.chart(drawn, f"m-{question}", said, name=question)
    st.markdown(plain(said))


def _images(sets: Sequence[str]) -> ImageSet | None:
    left, right = st.columns(2)
    with left:
        chosen = image_set.choose(sets, f"{PREFIX}set-of-study")
    restore.valid(f"{PREFIX}many", list(_MANY))
    right.selectbox(
        "How many", list(_MANY), key=f"{PREFIX}many", persist_state="session",
        help="As many of each class as can be.",
    )  # fmt: skip
    return image_set.images(chosen, f"{PREFIX}set-path")


def _planned(asked: Asked, images: ImageSet) -> StudyPlan:
    assert asked.model is not None
    model = asked.model
    common: dict[str, Any] = {"persist_state": "session"}
    left, right = st.columns(2)
    restore.valid(f"{PREFIX}order", list(_ORDERS))
    restore.valid(f"{PREFIX}kind", list(_CELLS))
    order = left.selectbox(
        "Hidden", list(_ORDERS), format_func=_ORDERS.__getitem__, key=f"{PREFIX}order", **common
    )
    cells = right.selectbox(
        "Cells", list(_CELLS), format_func=_CELLS.__getitem__, key=f"{PREFIX}kind", **common
    )
    fills, count = _fills(model), _count(images)
    asked_for = (identity(model), images.digest, tuple(fills), order, cells, count, asked.seed)
    return asking.planned(
        ("study", *asked_for),
        lambda: plan_study(
            model, images, fills=fills, order=order, cells=cells, count=count, seed=asked.seed
        ),
    )


def _fills(model: LoadedModel) -> list[str]:
    suited = list(fills_for(model))
    key = f"{PREFIX}fills"
    if not set(st.session_state.get(key, suited)) <= set(suited):
        del st.session_state[key]
    restore.aloud(key, [name for name in suited if name in _FIRST])
    return st.multiselect(
        "Fills", suited, format_func=lambda name: FILLS[name].title, key=key,
        persist_state="session", placeholder="All that suit",
    )  # fmt: skip


def _count(images: ImageSet) -> int | None:
    many = st.session_state[f"{PREFIX}many"]
    return None if many == "all" else min(int(many), len(images))


def _seconds(plan: StudyPlan | Probe) -> float | None:
    with st.spinner("Finding out what it costs …"):
        return running.seconds(plan.model, plan.cost, [FILLS[name] for name in plan.fills])


def _computed(plan: StudyPlan) -> MissingnessStudy | None:
    seconds = _seconds(plan)
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
    restore.aloud(f"{PREFIX}measure", known[0])
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
    leak = study_words.leak_sentence(found)
    if leak:
        st.markdown(plain(leak))
    st.caption(plain(study_words.about(found)))
    st.download_button(
        "Study (safetensors)", found.encoded, f"missingness-{found.key[:8]}.safetensors",
        "application/octet-stream", key="m-download-study", on_click="ignore",
        icon=":material/dataset:",
    )  # fmt: skip
