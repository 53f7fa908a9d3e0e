"""The page "Tables" from top to bottom: choices → one row, or all columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from components.words import plain, sentence
from dashboard.running import warmth
from dashboard.tables import link
from dashboard.tables.link import PREFIX

if TYPE_CHECKING:
    from dashboard.tables.choosing import Chosen

_VIEWS = {"row": "Why this row", "columns": "Which columns matter"}


def show() -> None:
    """Draw the page."""
    link.begin()
    opening = st.empty()
    if not warmth.is_ready():
        opening.title("What does the model make of this row?", anchor=False)
        warmth.wait()
    from dashboard.controls import table as table_control
    from dashboard.own_model import links
    from dashboard.state import restore
    from dashboard.tables import choosing, columns_view, row_view

    with st.sidebar:
        chosen = choosing.choose()
    opening.empty()
    restore.tell_removed(f"{PREFIX}model")
    links.offer()
    restore.valid(f"{PREFIX}view", list(_VIEWS))
    restore.aloud(f"{PREFIX}view", "row")
    restore.tell_notes()
    view = st.segmented_control(
        "View",
        list(_VIEWS),
        format_func=_VIEWS.__getitem__,
        key=f"{PREFIX}view",
        label_visibility="collapsed",
        persist_state="session",
        required=True,
    )
    table_control.ethics(chosen.model)
    if chosen.table is None:
        _nothing(chosen)
    elif view == "columns":
        columns_view.show(chosen)
    else:
        row_view.show(chosen)
    link.write(table_control.in_link(PREFIX), chosen.changes, chosen.parameters)
    restore.mark_read()


def _nothing(chosen: Chosen) -> None:
    from dashboard.controls import table as table_control

    st.title("What does the model make of this row?", anchor=False)
    if chosen.model is None:
        st.error(sentence(chosen.problem))
        return
    if chosen.problem and chosen.problem != table_control.NO_TABLE:
        st.warning(plain(chosen.problem), icon=":material/table_view:")
    table_control.wanted_columns(chosen.model)
