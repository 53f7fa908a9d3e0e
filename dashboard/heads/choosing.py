"""The choices at the left: model, picture, what to set beside it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from dashboard.controls import picture as picture_control
from dashboard.controls.sidebar import suited_sets
from dashboard.heads.link import PREFIX, SECOND
from dashboard.running import models
from dashboard.running.predictions import prediction
from dashboard.state import restore
from engine.attention.site import AttentionSites
from engine.attention.sites import attention_sites
from engine.errors import HaloscopeError
from engine.inputs.image_sets import ImageSet
from engine.inputs.images import ImageInput
from engine.inputs.samples import load_sample_set
from engine.models.bundled import bundled_models
from engine.models.loaded import LoadedModel
from engine.results import Prediction

BESIDE = {"nothing": "Nothing", "picture": "Another picture", "model": "Another model"}


@dataclass(frozen=True, eq=False)
class Side:
    """A model and a picture that are looked at.

    Attributes:
        name: "one", or "two" for what is set beside it; tells widgets apart.
        ref: reference of the model.
        model, picture: what is looked at; None while it cannot be.
        found: the model's attention.
        prediction: what it says of the picture.
        home: name of the set at hand that suits.
        problem: why nothing can be shown, one line, or "".
    """

    name: str
    ref: str
    model: LoadedModel | None = None
    picture: ImageInput | None = None
    found: AttentionSites | None = None
    prediction: Prediction | None = None
    home: str = ""
    problem: str = ""

    @property
    def heads(self) -> tuple[int, ...]:
        """Number of heads of each layer."""
        return () if self.found is None else tuple(site.heads for site in self.found.sites)

    @property
    def usable(self) -> bool:
        """Whether there are heads and a picture to show."""
        return not self.problem and self.prediction is not None

    def pictures(self, count: int | None, after: int = 0) -> ImageInput | ImageSet:
        """Return its picture, or so many of the set, evenly drawn.

        Args:
            count: how many; None: the picture alone.
            after: so many places further on; others, if the set has twice as many.
        """
        assert self.picture is not None
        if count is None:
            return self.picture
        every = load_sample_set(self.home)
        size = len(every)
        step = max(1.0, size / count)
        places = {(int(i * step) + after) % size for i in range(min(count, size))}
        return every.part(sorted(places))


def choose() -> list[Side]:
    """Show all choosers in the sidebar; return one side, or two."""
    ref = _model("Model", "model")
    model, found, problem = _looked_at(ref)
    if model is None or found is None:
        return [Side("one", ref, problem=problem)]
    sets = suited_sets(ref)
    picture = picture_control.choose(sets, PREFIX)
    first = _side("one", ref, model, found, picture, sets, PREFIX)
    if not first.usable:
        return [first]
    second = _beside(first, sets)
    return [first] if second is None else [first, second]


def _model(label: str, name: str, without: str = "") -> str:
    """Show a chooser of models, those with attention first."""
    refs = [ref for ref in models.references("pictures") if ref != without]
    refs.sort(key=lambda ref: {True: 0, None: 1, False: 2}[attends(ref)])
    titles = {ref: models.title(ref) for ref in refs}
    restore.valid_model(f"{PREFIX}{name}", refs)
    return st.selectbox(
        label,
        refs,
        format_func=titles.__getitem__,
        key=f"{PREFIX}{name}",
        persist_state="session",
    )


def attends(ref: str) -> bool | None:
    """Whether a model has heads that can be looked at; None where it was not loaded yet."""
    known = {model.name: model.family == "vit" for model in bundled_models()}
    if ref in known:
        return known[ref]
    loaded = models.loaded(ref)
    return None if loaded is None else not attention_sites(loaded).problem


def _looked_at(ref: str) -> tuple[LoadedModel | None, AttentionSites | None, str]:
    try:
        with st.spinner("Loading the model …"):
            model = models.model(ref)
            found = attention_sites(model)
    except HaloscopeError as error:
        return None, None, str(error)
    if model.family == "cnn" and not found.sites:
        problem = f"{model.card.title} is a convolutional network: it has no attention heads."
        return None, None, problem
    return (None, None, found.problem) if found.problem else (model, found, "")


def _side(
    name: str, ref: str, model: LoadedModel, found: AttentionSites,
    picture: ImageInput | None, sets: list[str], prefix: str,
) -> Side:  # fmt: skip
    if picture is None:
        return Side(name, ref, model, found=found)
    home = picture_control.home(sets, prefix) if sets else ""
    try:
        said = prediction(model, picture)
    except HaloscopeError as error:
        return Side(name, ref, model, picture, found, home=home, problem=str(error))
    return Side(name, ref, model, picture, found, said, home)


def _beside(first: Side, sets: list[str]) -> Side | None:
    """Show the chooser of what is set beside it."""
    restore.valid(f"{PREFIX}beside", list(BESIDE))
    restore.aloud(f"{PREFIX}beside", "nothing")
    kind = st.selectbox(
        "Set beside it",
        list(BESIDE),
        format_func=BESIDE.__getitem__,
        key=f"{PREFIX}beside",
        persist_state="session",
    )
    assert first.model is not None and first.found is not None
    if kind == "picture":
        if sets:
            restore.aloud(f"{SECOND}sample", picture_control.another(sets, PREFIX))
        picture = picture_control.choose(sets, SECOND)
        return _side("two", first.ref, first.model, first.found, picture, sets, SECOND)
    if kind != "model":
        return None
    ref = _model("Other model", "other", without=first.ref)
    model, found, problem = _looked_at(ref)
    if model is None or found is None:
        return Side("two", ref, problem=problem)
    return _side("two", ref, model, found, first.picture, suited_sets(ref), PREFIX)
