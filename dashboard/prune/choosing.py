"""The choices at the left: model, set that networks are judged on, picture."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from dashboard.controls import image_set
from dashboard.controls import picture as picture_control
from dashboard.controls.sidebar import suited_sets
from dashboard.prune.keys import MANY, PREFIX
from dashboard.running import models, own_models
from dashboard.state import restore
from engine.errors import HaloscopeError
from engine.inputs.image_sets import ImageSet
from engine.inputs.images import ImageInput
from engine.inputs.samples import SAMPLE
from engine.models.loaded import LoadedModel
from engine.pruning.finding.groups import find_groups
from engine.pruning.units import Groups

_FIRST = "scenes-resnet"
_MANY = {"60": "60 pictures", MANY: "120 pictures", "300": "300 pictures", "all": "all pictures"}


@dataclass(frozen=True, eq=False)
class Asked:
    """A model and the pictures that its smaller forms are judged on.

    Attributes:
        ref: reference of the model.
        model, groups, images, picture: what is looked at; None while it cannot be.
        problem: why nothing can be shown, one line, or "".
    """

    ref: str
    model: LoadedModel | None = None
    groups: Groups | None = None
    images: ImageSet | None = None
    picture: ImageInput | None = None
    problem: str = ""


def choose() -> Asked:
    """Show all choosers in the sidebar."""
    ref = _model()
    try:
        with st.spinner("Loading the model …"):
            model = models.model(ref)
            taken = own_models.taken_by(model)
        with st.spinner("Finding out what can be removed; with some networks it takes a minute …"):
            groups = find_groups(model) if taken == "pictures" else None
    except HaloscopeError as error:
        return Asked(ref, problem=str(error))
    if groups is None:
        takes = "rows of a table" if taken == "tables" else f"tensors of shape {model.spec.shape}"
        return Asked(ref, problem=f"{model.card.title} takes {takes}; networks are judged on "
                     "pictures here.")  # fmt: skip
    sets = suited_sets(ref)
    images = _images(sets)
    st.markdown("**Picture** :gray[:small[before and after]]")
    picture = picture_control.choose(sets, PREFIX)
    return Asked(ref, model, groups, images, picture, _problem(model, groups))


def _model() -> str:
    key = f"{PREFIX}model"
    refs = models.references("pictures")
    refs.sort(key=lambda ref: ref != _FIRST)
    titles = {ref: models.title(ref) for ref in refs}
    restore.valid_model(key, refs)
    return st.selectbox(
        "Model", refs, format_func=titles.__getitem__, key=key, persist_state="session"
    )


def _images(sets: list[str]) -> ImageSet | None:
    """Show which set networks are judged on; return as many of it, evenly drawn."""
    chosen = image_set.choose(sets, f"{PREFIX}judged", "Judged on")
    found = image_set.images(chosen, f"{PREFIX}path")
    key = f"{PREFIX}many"
    restore.valid(key, list(_MANY))
    st.session_state.setdefault(key, MANY)
    many = st.selectbox(
        "How many", list(_MANY), format_func=_MANY.__getitem__, key=key,
        persist_state="session", label_visibility="collapsed",
        help="A third of them, drawn, calibrates: units are scored and networks repaired with "
        "those. The others judge.",
    )  # fmt: skip
    if found is None or many == "all":
        return found
    return image_set.evenly(found, int(many))


def take(picture: ImageInput) -> None:
    """Look at a picture of a set: a sample by its name, any other as if it were uploaded."""
    state = st.session_state
    if picture.origin.startswith(SAMPLE):
        state[f"{PREFIX}source"] = "Sample"
        state[f"{PREFIX}sample"] = picture.origin.removeprefix(SAMPLE)
    else:
        state[f"{PREFIX}source"], state[f"{PREFIX}uploaded"] = "Upload", picture


def _problem(model: LoadedModel, groups: Groups) -> str:
    if groups.groups:
        return ""
    layer, why = next(iter(groups.refused.items()), ("it", "it has no layers that could go"))
    return f"Nothing can be removed from {model.card.title}: {layer}, {why}."
