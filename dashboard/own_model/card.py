"""Step 2: what was found out, and how that is known."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from components.predictions import short
from components.words import plain
from dashboard.own_model import correcting
from dashboard.own_model.asked import Found
from dashboard.own_model.where import CARD
from engine.inspection.entry import Entry
from engine.inspection.inspecting import Suited

_TWINS = 3
_BADGES = {"corrected": ":violet-badge[corrected]", "assumed": ":orange-badge[assumed]"}


def show(found: Found) -> None:
    """Show the card."""
    inspection, model = found.inspection, found.model
    st.html(f'<span id="{CARD}"></span>')
    with st.container(border=True, key="own-card"):
        st.markdown(f"**2 · What was found** :gray[:small[{plain(inspection.title)}]]")
        if model.card.summary:
            st.caption(plain(model.card.summary))
        with st.container(key="own-entries"):
            st.table(_rows(inspection.entries), border="horizontal", hide_index=True)
        for note in inspection.notes:
            st.caption(f":material/info: {plain(f'{note[0].upper()}{note[1:]}')}.")
        for told in _twice(model.classes):
            st.caption(f":material/info: {plain(told)}.")
        _methods(inspection.methods)
        correcting.show(found)


def _twice(classes: tuple[str, ...]) -> list[str]:
    """Say which names several classes have: "2 classes are called “cat”"."""
    alike = [(name, count) for name, count in Counter(classes).most_common() if count > 1]
    told = [f"{count} classes are called “{short(name)}”" for name, count in alike[:_TWINS]]
    left = len(alike) - len(told)
    return [*told, f"{left} more names stand for several classes"] if left else told


def _rows(entries: tuple[Entry, ...]) -> dict[str, list[str]]:
    return {
        "What": [plain(entry.name) for entry in entries],
        "Found": [plain(entry.value) for entry in entries],
        "How it is known": [_BADGES.get(entry.how, plain(entry.how)) for entry in entries],
    }


def _methods(every: tuple[Suited, ...]) -> None:
    suited = [method.title for method in every if not method.reason]
    refused = [method for method in every if method.reason]
    told = f"{len(suited)} of {len(every)} methods take it"
    with st.expander(told, icon=":material/checklist:"):
        st.markdown(plain(", ".join(suited)) or "None.")
        if refused:
            st.table(
                {plain(method.title): plain(method.reason) for method in refused},
                border="horizontal",
            )
