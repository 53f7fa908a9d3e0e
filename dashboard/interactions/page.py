"""The page "Interactions" from top to bottom: choices → what it costs → views of what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from components.words import plain, sentence
from dashboard.interactions import link
from dashboard.interactions.keys import EPSILON, NUMBER, PREFIX
from dashboard.running import warmth

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from dashboard.interactions.choosing import Asked
    from dashboard.interactions.looked import Looked
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
    from dashboard.interactions import choosing
    from dashboard.own_model import links
    from dashboard.state import restore

    with st.sidebar:
        asked = choosing.choose()
    with st.container(key="i-head"):
        left, right = st.columns([5, 3], vertical_alignment="center")
    left.title(_TITLE, anchor=False)
    restore.tell_removed(f"{PREFIX}model")
    links.offer()
    above = st.container()  # what a link cannot have is found out further down
    table_control.ethics(asked.model)
    found = None if asked.plan is None else _found(asked)
    if asked.plan is None:
        _nothing(asked)
    elif found is not None:
        _body(asked, found, right)
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


def _found(asked: Asked) -> Interactions | None:
    """Return what is asked for, computed if it is quick; shows cost, progress and what failed."""
    from dataclasses import replace

    from dashboard.heads import asking
    from dashboard.running import interactions as running
    from engine.interaction_results import Interactions

    plan = asked.plan
    assert plan is not None
    seconds, cost = running.seconds(plan), running.usual(plan)
    pairs = "the strongest pairs" if plan.pairs is None else f"{len(plan.pairs)} pairs"
    job = asking.asked(
        "interactions",
        plan.key,
        seconds,
        f"{pairs} · about {asking.passes(cost)}, on {_samples(asked, plan.data.count)}"
        + (f" · and {plan.retrained} models to train" if plan.retrained else ""),
        lambda: running.submit(plan),
        quick=(asking.is_quick(seconds, cost) and not plan.retrained) or running.is_kept(plan),
    )
    if job is not None and isinstance(job.result, Interactions):
        # Two sessions may ask the same of tables with other names; each sees its own.
        return replace(job.result, manifest={**job.result.manifest, "source": plan.source()})
    if job is not None and job.state == "cancelled":
        kept = not running.is_private(plan.data)
        again = "Pairs that were done are kept: it goes on from there." if kept else ""
        st.info(f"Cancelled. {again}".strip(), icon=":material/stop_circle:")
    if job is not None and job.state == "failed" and "epsilon=" in (job.error or ""):
        st.button(f"Take ε = {EPSILON}", key="i-take-number", on_click=_take_number)
    if job is None:
        _waiting()
    return None


def _samples(asked: Asked, count: int) -> str:
    from components import saying

    return "one picture" if asked.picture is not None else saying.counted(count, "row")


def _take_number() -> None:
    st.session_state[f"{PREFIX}allow"] = NUMBER
    st.session_state.setdefault(f"{PREFIX}epsilon", EPSILON)


def _waiting() -> None:
    st.caption(
        "Many models are about as good as this one. For each pair of features the page finds such "
        "models, asks how much two features do together that neither does alone, and shows on what "
        "all of them agree. It begins at the press of the button."
    )


def _body(asked: Asked, found: Interactions, tools: Any) -> None:
    from components import interaction_words
    from dashboard.interactions import bar, exporting, published

    st.markdown(f"**{plain(interaction_words.heatmap_sentence(found, _ring(found)))}**")
    st.caption(plain(_told(asked, found)))
    looked = bar.show(asked, found)
    view = _view(asked)
    drawn = _draw(looked, view)
    published.show(looked)
    with st.expander("How sure is this?", icon=":material/rule:", expanded=True):
        st.markdown("\n".join(f"- {plain(note)}" for note in interaction_words.notes(found)))
    with tools:
        exporting.menu(found, drawn, view)


def _ring(found: Interactions) -> float:
    """Return ε of the set that is looked at, as the slider further down will say it."""
    ring = int(st.session_state.get(f"{PREFIX}ring") or 0)
    return float(found.epsilons[ring - 1 if ring <= len(found.epsilons) else -1])


def _told(asked: Asked, found: Interactions) -> str:
    from components import saying
    from dashboard.interactions.bar import allowed

    source, display = found.manifest["source"], found.manifest["display"]
    bound = f"asked: up to {allowed(found, -1)} above"
    loss = f"{display['loss']} {saying.number(found.base_loss, 4)}"
    spent = f"{found.outcome['seconds']:.2g} s"
    rows = _samples(asked, int(found.outcome["samples"]))
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


def _draw(looked: Looked, view: str) -> go.Figure | None:
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
