"""The page "Interactions" from top to bottom: choices → what it costs → views of what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from components.words import plain, sentence
from dashboard.interactions import link
from dashboard.interactions.keys import PREFIX
from dashboard.running import warmth

if TYPE_CHECKING:
    from dashboard.interactions.choosing import Asked
    from dashboard.interactions.looked import Drawn, Looked
    from dashboard.interactions.shown import Shown
    from engine.interaction_results import Interactions

_TITLE = "What acts together, in all good models?"
_VIEWS = {
    "halos": "Halos",
    "swarm": "Swarm",
    "strengths": "Strengths",
    "ball": "Three features",
}
_LINKS = {"links": "On the picture"}


def show() -> None:
    """Draw the page."""
    link.begin()
    opening = st.empty()
    if not warmth.is_ready():
        opening.title(_TITLE, anchor=False)
        warmth.wait()
    opening.empty()
    from dashboard.controls import table as table_control
    from dashboard.interactions import choosing, finding, shown
    from dashboard.own_model import links
    from dashboard.state import restore

    with st.sidebar:
        asked = choosing.choose()
    with st.container(key="i-head"):
        left, right = st.columns([5, 3], vertical_alignment="center")
    with left, st.container(horizontal=True, vertical_alignment="center", key="headline"):
        st.title(_TITLE, anchor=False, width="content")
        mark = st.empty()
    restore.tell_removed(f"{PREFIX}model")
    links.offer()
    above = st.container()  # what a link cannot have is found out further down
    warned = st.container()
    # Messages come and go in a place of their own, so that no figure below is drawn anew.
    with st.container(key="i-notes"):
        if asked.plan is None:
            _nothing(asked)
        found = finding.found(asked)
    now = shown.shown_now(asked, found)
    with warned:
        table_control.ethics(asked.model if now is None else now.asked.model)
    if now is not None:
        with mark:
            shown.badge(now)
        _body(now, right)
    restore.tell_notes(above)
    link.write(asked)
    restore.mark_read()


def _nothing(asked: Asked) -> None:
    """Say why there is nothing to see, and what would be right."""
    from dashboard.controls import table as table_control
    from engine.models.table_specs import TableSpec

    if asked.model is None:
        st.error(sentence(asked.problem))
        return
    if asked.problem != table_control.NO_TABLE:
        st.warning(sentence(asked.problem), icon=":material/info:")
    if isinstance(asked.model.spec, TableSpec) and asked.table is None:
        table_control.wanted_columns(asked.model)


def _body(now: Shown, tools: Any) -> None:
    from components import interaction_words
    from dashboard.interactions import bar, exporting, published, shown

    asked, found = now.asked, now.found
    if not now.current:
        st.markdown(f":orange[:material/history:] {plain(shown.told_changes(now))}")
    st.markdown(f"**{plain(interaction_words.heatmap_sentence(found, _ring(found)))}**")
    told = _told(asked, found)
    st.caption(plain(told))
    looked = bar.show(now)
    view = _view(asked)
    drawn = _draw(looked, view)
    published.show(looked)
    with st.expander("How sure is this?", icon=":material/rule:", expanded=True):
        st.markdown("\n".join(f"- {plain(note)}" for note in interaction_words.notes(found)))
    with tools:
        exporting.menu(
            found, drawn, view, f"{told} · shown: up to {bar.allowed(found, looked.rate)}"
        )


def _ring(found: Interactions) -> float:
    """Return ε of the set that is looked at, as the slider further down will say it."""
    ring = int(st.session_state.get(f"{PREFIX}ring") or 0)
    return float(found.epsilons[ring - 1 if ring <= len(found.epsilons) else -1])


def _told(asked: Asked, found: Interactions) -> str:
    from components import saying
    from dashboard.interactions import finding
    from dashboard.interactions.bar import allowed

    source, display = found.manifest["source"], found.manifest["display"]
    bound = f"asked: up to {allowed(found, -1)} above"
    loss = f"{display['loss']} {saying.number(found.base_loss, 4)}"
    spent = f"{found.outcome['seconds']:.2g} s"
    rows = finding.samples(asked, int(found.outcome["samples"]))
    models = saying.counted(found.loss.size, "model")
    return " · ".join((source["model_title"], source["table"], rows, loss, bound, models, spent))


def _view(asked: Asked) -> str:
    from dashboard.state import restore

    views = _LINKS | _VIEWS if asked.picture is not None else _VIEWS
    restore.valid(f"{PREFIX}view", list(views))
    restore.aloud(f"{PREFIX}view", next(iter(views)))
    chosen = st.segmented_control(
        "View",
        list(views),
        format_func=views.__getitem__,
        key=f"{PREFIX}view",
        label_visibility="collapsed",
        persist_state="session",
        required=True,
    )
    return str(chosen)


def _draw(looked: Looked, view: str) -> Drawn | None:
    from dashboard.interactions import (
        ball_view,
        halos_view,
        links_view,
        strengths_view,
        swarm_view,
    )

    if view == "ball":
        return ball_view.show(looked)
    if view == "strengths":
        return strengths_view.show(looked)
    if view == "swarm":
        return swarm_view.show(looked)
    if view == "links":
        return links_view.show(looked)
    return halos_view.show(looked)
