"""What guides a generator: attention, difficulty, superpixels, a map, the user's own regions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from components.words import plain, sentence
from dashboard.heads import asking
from dashboard.masks import link
from dashboard.masks.link import PREFIX
from dashboard.running import explanations
from dashboard.running.models import identity
from engine.attribution.explain import plan
from engine.attribution.registry import methods, methods_for
from engine.errors import HaloscopeError
from engine.inputs.images import ImageInput, load_image
from engine.masking.generators.generator import Generator
from engine.missingness.drawings import label_image
from engine.missingness.guides import guides_for
from engine.models.loaded import LoadedModel
from engine.results import Attribution

if TYPE_CHECKING:
    from dashboard.explore.shown import Shown
    from dashboard.masks.choosing import Asked

EXPLORE, OWN = "explore", "own"
_LABELS = "m-labels"


def titles(model: LoadedModel, picture: ImageInput | None, generator: Generator) -> dict[str, str]:
    """Return what can guide a generator, by name; the map on "Explore" where it is of this."""
    found = guides_for(model, generator.guide)
    if generator.guide == "regions":
        return {**found, OWN: "Your own label image"}
    return {**found, **of_explore(model, picture)}


def of_explore(model: LoadedModel, picture: ImageInput | None) -> dict[str, str]:
    """Return the map that "Explore" shows, if it is of this model and this picture."""
    found = _shown(model, picture)
    if found is None:
        return {}
    attribution = found.explained.attribution
    title = attribution.manifest["source"]["method_title"]
    name = attribution.manifest["request"]["target"]["name"]
    return {EXPLORE: f"The map on Explore ({title} for “{name}”)"}


def _shown(model: LoadedModel, picture: ImageInput | None) -> Shown | None:
    shown: Shown | None = st.session_state.get("shown")
    if shown is None or picture is None or shown.partial:
        return None
    same = (shown.picture.digest, shown.picture.fit) == (picture.digest, picture.fit)
    return shown if same and identity(shown.plan.model) == identity(model) else None


def usual(model: LoadedModel, generator: Generator, titles: dict[str, str]) -> str:
    """Return what a generator is guided by where nothing is chosen."""
    name = generator.usual_guide
    if name == "saliency" or name not in titles:
        name = methods_for(model)[0].name
    return name if name in titles else next(iter(titles))


def guide_for(asked: Asked) -> tuple[Any, bool]:
    """Return what ``plan_preview`` takes as guide, and whether it is there.

    Shows what goes on, and what is missing.
    """
    assert asked.model is not None and asked.picture is not None
    kind = asked.generator.guide
    if kind == "drawn":
        return link.drawing(asked.size).keep, True
    if asked.guide == OWN:
        labels = _own_labels(asked)
        return labels, labels is not None
    if asked.guide == EXPLORE or asked.guide in methods():
        found = map_of(asked.model, asked.picture, asked.guide, "guide")
        return found, found is not None
    return asked.guide or None, True


def map_of(model: LoadedModel, picture: ImageInput, name: str, place: str) -> Attribution | None:
    """Return a method's map of the predicted class, or the one on "Explore"; computed if quick.

    Args:
        model, picture: what is explained.
        name: of the method, or ``EXPLORE``.
        place: on the page; tells widgets apart.
    """
    if name == EXPLORE:
        shown = _shown(model, picture)
        if shown is not None:
            return shown.explained.attribution
        st.info("The map on Explore is of something else now.", icon=":material/image_search:")
        return None
    try:
        planned = plan(model, picture, name)
    except HaloscopeError as error:
        st.info(sentence(str(error)), icon=":material/info:")
        return None
    seconds, cost = explanations.seconds(planned), explanations.cost(planned)
    quick = asking.is_quick(seconds, cost) or explanations.is_kept(planned)
    job = asking.asked(
        place, planned.key, seconds, f"{planned.method.title}: {asking.passes(cost)}",
        lambda: explanations.submit(planned), quick=quick,
    )  # fmt: skip
    if job is None or job.state != "done":
        return None
    found: Attribution = job.result.named_as(planned).attribution
    return found


def _own_labels(asked: Asked) -> np.ndarray | None:
    assert asked.model is not None and asked.picture is not None
    st.file_uploader(
        "Label image: one colour for each region (PNG)", type=["png"], key=f"{PREFIX}labels",
        on_change=_take_labels, help="As large as the picture. It stays in this session.",
    )  # fmt: skip
    kept: ImageInput | str | None = st.session_state.get(_LABELS)
    if kept is None:
        st.info("Upload a label image: one colour for each region.", icon=":material/category:")
        return None
    if isinstance(kept, str):
        st.error(sentence(kept))
        return None
    try:
        return label_image(asked.model, asked.picture, kept)
    except HaloscopeError as error:
        st.error(plain(str(error)))
        return None


def _take_labels() -> None:
    file = st.session_state.get(f"{PREFIX}labels")
    try:
        st.session_state[_LABELS] = (
            None if file is None else load_image(file.getvalue(), name=file.name)
        )
    except HaloscopeError as error:
        st.session_state[_LABELS] = str(error)
