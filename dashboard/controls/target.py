"""Choosing the class to explain, and the one to hold it against."""

from __future__ import annotations

import streamlit as st

from dashboard.state import restore
from engine.models.classes import display_names

PREDICTED = ""


def choose(classes: tuple[str, ...]) -> tuple[int | None, int | None]:
    """Show both choosers.

    Args:
        classes: the model's class names.

    Returns:
        target (None: the predicted class) and versus (None: nothing) as class indices.
    """
    names = _names(classes)
    indices = [str(index) for index in range(len(classes))]
    restore.valid("target", [PREDICTED, *indices])
    restore.valid("versus", [PREDICTED, *indices])

    def title(value: str, none: str) -> str:
        return none if value == PREDICTED else names[int(value)]

    target = st.selectbox(
        "Why this class",
        [PREDICTED, *indices],
        # One unchanging label: the browser sends the label back to say what was chosen.
        format_func=lambda value: title(value, "The predicted class"),
        key="target",
        persist_state="session",
        help="Type to search the class names.",
    )
    versus = st.selectbox(
        "and not this one",
        [PREDICTED, *indices],
        format_func=lambda value: title(value, "– any other –"),
        key="versus",
        persist_state="session",
        help="Explains the difference between the two scores.",
    )
    return _index(target), _index(versus)


def _index(value: str | None) -> int | None:
    return int(value) if value else None


@st.cache_data(max_entries=8, show_spinner=False)
def _names(classes: tuple[str, ...]) -> list[str]:
    return display_names(classes)
