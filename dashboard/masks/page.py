"""The page "Masks" from top to bottom: choices → mask and answer → what else can be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from components.predictions import percent
from components.words import plain
from dashboard.masks import link
from dashboard.masks.link import PREFIX
from dashboard.running import warmth

if TYPE_CHECKING:
    from typing import Any

    from dashboard.masks.choosing import Asked
    from engine.mask_results import MaskPreview

_TITLE = "Hide parts of the input honestly"
_VIEWS = {
    "fills": "Fills side by side",
    "saliency": "A map as the mask",
    "study": "Over many pictures",
}


def show() -> None:
    """Draw the page."""
    link.begin()
    opening = st.empty()
    if not warmth.is_ready():
        opening.title(_TITLE, anchor=False)
        warmth.wait()
    opening.empty()
    from dashboard.masks import choosing
    from dashboard.own_model import links
    from dashboard.state import restore

    with st.sidebar:
        asked = choosing.choose()
    with st.container(key="m-head"):
        left, right = st.columns([5, 3], vertical_alignment="center")
    left.title(_TITLE, anchor=False)
    restore.tell_removed(f"{PREFIX}model")
    links.offer()
    above = st.container()  # what a link cannot have is found out further down
    if asked.model is None or asked.picture is None or asked.problem:
        _nothing(asked)
    else:
        left.caption(_told(asked))
        with right:
            tools = st.container()
        _body(asked, tools)
    restore.tell_notes(above)
    restore.mark_read()


def _told(asked: Asked) -> str:
    assert asked.model is not None and asked.picture is not None and asked.prediction is not None
    said = asked.prediction
    share = percent(float(said.probabilities[said.best]))
    name = said.classes[said.best]
    return plain(f"{asked.model.card.title} · {asked.picture.name} · says “{name}” ({share})")


def _nothing(asked: Asked) -> None:
    """Say why there is nothing to see, and offer models that suit."""
    if not asked.problem:
        st.info("Choose a picture at the left.", icon=":material/image:")
    else:
        st.warning(plain(asked.problem), icon=":material/visibility_off:")
    if asked.model is None:
        _offer_models(asked.ref)
    link.write(asked.picture, {})


def _offer_models(without: str) -> None:
    from dashboard.masks import choosing
    from dashboard.running import models

    st.markdown("These models take pictures:")
    with st.container(horizontal=True, key="m-offered"):
        for ref in choosing.for_pictures(without):
            st.button(
                plain(models.title(ref)), key=f"m-take-{ref}", on_click=_take, args=("model", ref)
            )


def _take(name: str, value: str) -> None:
    st.session_state[PREFIX + name] = value


def _body(asked: Asked, tools: Any) -> None:
    from dashboard.masks import exporting, guiding, result

    assert asked.model is not None
    refusal = asked.fill.refusal(asked.model)
    if refusal:
        _refused(asked, refusal)
        return
    with st.container(key="m-guide"):
        guide, there = guiding.guide_for(asked)
    found = result.preview(asked, guide) if there else None
    if found is not None:
        with tools:
            exporting.menu(found, result.photo_of(asked))
        result.show(asked, found)
        left, right = st.columns([4, 3])
        with left:
            result.answer(found, blank=result.is_blank(asked, found))
        with right:
            result.facts(asked, found)
    _view(asked, guide, found)
    _write(asked)


def _write(asked: Asked) -> None:
    """Bring the address bar up to date, and say what does not fit into it."""
    if not link.write(asked.picture, asked.told_parameters()):
        st.caption(
            "This drawing is too intricate for a link: take the mask along as a picture (Export), "
            "and upload it again."
        )


def _refused(asked: Asked, refusal: str) -> None:
    """Say why a fill does not suit the model, and offer those that do."""
    from engine.masking.fills.registry import FILLS, fills_for

    assert asked.model is not None
    st.warning(plain(refusal), icon=":material/block:")
    st.markdown(f"These fills suit {plain(asked.model.card.title)}:")
    with st.container(horizontal=True, key="m-fills-offered"):
        for name in fills_for(asked.model):
            st.button(FILLS[name].title, key=f"m-fill-{name}", on_click=_take, args=("fill", name))
    link.write(asked.picture, asked.told_parameters())


def _view(asked: Asked, guide: Any, found: MaskPreview | None) -> None:
    from dashboard.controls.sidebar import suited_sets
    from dashboard.masks import compared, missing, result, salient
    from dashboard.state import restore

    restore.valid(f"{PREFIX}view", list(_VIEWS))
    restore.aloud(f"{PREFIX}view", next(iter(_VIEWS)))
    view = st.segmented_control(
        "View",
        list(_VIEWS),
        format_func=_VIEWS.__getitem__,
        key=f"{PREFIX}view",
        label_visibility="collapsed",
        persist_state="session",
        required=True,
    )
    if view == "saliency":
        salient.show(asked, lambda: _write(asked))
    elif view == "study":
        missing.show(asked, suited_sets(asked.ref))
    elif found is not None and result.is_blank(asked, found):
        st.info("Draw on the mask, and what fills make of it appears here.", icon=":material/draw:")
    elif found is not None:
        compared.show(asked, guide)
