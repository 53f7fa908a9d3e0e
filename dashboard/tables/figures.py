"""The picture and the sentence of each kind of finding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from components import beeswarm, column_bars, effects, matrix, table_words, tree
from components.words import plain
from dashboard.tables.link import PREFIX
from engine.table_results import (
    Agreement,
    ColumnScores,
    Effects,
    Groups,
    Measured,
    Surrogate,
    Swarm,
)

if TYPE_CHECKING:
    from dashboard.tables.choosing import Chosen

_STILL: dict[str, Any] = {"displayModeBar": False}


def show(found: Measured, chosen: Chosen) -> None:
    """Show a finding with the chosen row marked in it."""
    if isinstance(found, Swarm):
        _swarm(found, chosen)
    elif isinstance(found, Effects):
        _effects(found, chosen)
    elif isinstance(found, Groups):
        _groups(found)
    elif isinstance(found, Agreement):
        st.plotly_chart(
            matrix.agreement_figure(found), config=_STILL, alt=matrix.agreement_alt(found)
        )
        _say(found)
    elif isinstance(found, Surrogate):
        _surrogate(found)
    elif isinstance(found, ColumnScores):
        st.plotly_chart(
            column_bars.scores_figure(found), config=_STILL, alt=column_bars.scores_alt(found)
        )
        _say(found)


def _say(found: Measured) -> None:
    st.markdown(plain(table_words.sentence_of(found)))


def _swarm(found: Swarm, chosen: Chosen) -> None:
    number = None if chosen.row is None else chosen.row.number
    st.plotly_chart(
        beeswarm.figure(found, number),
        key="swarm",
        on_select=_pick,
        selection_mode="points",
        config=_STILL,
        alt=beeswarm.alt(found),
    )
    _say(found)
    with st.container(horizontal=True, vertical_alignment="center"):
        marked = (
            f"The rings mark row {number}."
            if number in found.rows
            else f"Row {number} is not among those drawn."
        )
        st.caption(f"{marked} Click a dot to take its row.", width="content")
        st.button(f"Why row {number}?", icon=":material/arrow_back:", on_click=_to_row)


def _pick() -> None:
    """Take the row of the dot that was clicked."""
    points = st.session_state["swarm"]["selection"]["points"]
    if points:
        data = points[0]["customdata"]
        number = data[0] if isinstance(data, list | tuple) else data
        st.session_state[f"{PREFIX}row"] = int(number)


def _to_row() -> None:
    st.session_state[f"{PREFIX}view"] = "row"


def _effects(found: Effects, chosen: Chosen) -> None:
    value = number = None
    if chosen.row is not None and chosen.model is not None:
        number = chosen.row.number
        value = _value_of(found, chosen)
    st.plotly_chart(effects.figure(found, value, number), config=_STILL, alt=effects.alt(found))
    _say(found)


def _value_of(found: Effects, chosen: Chosen) -> float | None:
    """Return what stands in the chosen row, as the figure's axis has it."""
    from engine.attribution.rows import row_told

    assert chosen.row is not None and chosen.model is not None
    told = row_told(chosen.row, chosen.model.spec) or {}
    value = told.get(found.manifest["display"]["column"])
    categories = found.manifest["display"].get("categories") or []
    if categories:
        return float(categories.index(value)) if value in categories else None
    return None if value is None else float(value)


def _groups(found: Groups) -> None:
    left, right = st.columns(2)
    with left:
        st.plotly_chart(
            column_bars.groups_figure(found), config=_STILL, alt=column_bars.groups_alt(found)
        )
    with right:
        st.plotly_chart(matrix.groups_figure(found), config=_STILL, alt=matrix.groups_alt(found))
    _say(found)


def _surrogate(found: Surrogate) -> None:
    st.plotly_chart(tree.figure(found), config=_STILL, alt=tree.alt(found))
    _say(found)
    with st.expander("Its rules"):
        for rule in found.outcome["rules"]:
            st.markdown(f"- {plain(str(rule))}")
