"""The page "Prune" from top to bottom: choices → how small → what is left → views of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from components.words import plain, sentence
from dashboard.prune import link
from dashboard.prune.keys import PREFIX
from dashboard.running import warmth

if TYPE_CHECKING:
    from typing import Any

    from dashboard.prune.choosing import Asked
    from dashboard.prune.looked import Looked

_TITLE = "What can go, and what does it cost?"
_VIEWS = {
    "network": "Network",
    "classes": "Classes",
    "drift": "Explanations",
    "robustness": "Robustness",
    "geometry": "Geometry",
    "compare": "Compare",
    "others": "Other ways",
    "export": "Export",
}


def show() -> None:
    """Draw the page."""
    goal = st.session_state.pop("pr-go-to", "")
    if goal:
        st.switch_page(goal)
    link.begin()
    opening = st.empty()
    if not warmth.is_ready():
        opening.title(_TITLE, anchor=False)
        warmth.wait()
    opening.empty()
    from dashboard.own_model import links
    from dashboard.prune import choosing
    from dashboard.state import restore

    with st.sidebar:
        asked = choosing.choose()
    with st.container(key="pr-head"):
        left, right = st.columns([5, 3], vertical_alignment="center")
    left.title(_TITLE, anchor=False)
    restore.tell_removed(f"{PREFIX}model")
    links.offer()
    above = st.container()  # what a link cannot have is found out further down
    if asked.problem or asked.images is None:
        _nothing(asked)
    else:
        _body(asked, right)
    restore.tell_notes(above)
    link.write(asked.picture)
    restore.mark_read()


def _nothing(asked: Asked) -> None:
    if asked.problem:
        st.warning(sentence(asked.problem), icon=":material/content_cut:")
    else:
        st.info(
            "Name the pictures that smaller networks are judged on, at the left.",
            icon=":material/image:",
        )


def _body(asked: Asked, tools: Any) -> None:
    from components import prune_words
    from dashboard.prune import curve_view, exporting, picture_view, settings, sweeping, tiles

    looked = sweeping.find(asked, settings.bar(asked))
    if looked is None:
        return
    said = prune_words.sweep_sentence(looked.found, looked.way, looked.ratio)
    st.markdown(f"**{plain(said)}**")
    with st.container(key="pr-three"):
        left, middle, right = st.columns([4, 6, 5])
    with left:
        tiles.show(looked)
    with middle:
        curve_view.show(looked)
    with right:
        picture_view.show(looked)
    _view(looked)
    with tools:
        exporting.menu(looked)


def _view(looked: Looked) -> None:
    from dashboard.state import restore

    key = f"{PREFIX}view"
    restore.valid(key, list(_VIEWS))
    st.session_state.setdefault(key, next(iter(_VIEWS)))
    view = st.segmented_control(
        "View", list(_VIEWS), format_func=_VIEWS.__getitem__, key=key,
        label_visibility="collapsed", persist_state="session", required=True,
    )  # fmt: skip
    from dashboard.prune import (
        classes_view,
        compare_view,
        drift_view,
        export_view,
        geometry_view,
        network_view,
        others_view,
        robustness_view,
    )

    {
        "network": network_view,
        "classes": classes_view,
        "drift": drift_view,
        "robustness": robustness_view,
        "geometry": geometry_view,
        "compare": compare_view,
        "others": others_view,
        "export": export_view,
    }[str(view)].show(looked)
