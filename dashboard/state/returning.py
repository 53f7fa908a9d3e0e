"""Controls that were away: the browser is told their values when they come back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import streamlit as st

_RUNS = "returning"


@dataclass
class _Runs:
    """Which controls were shown.

    Attributes:
        shown: in the last run of the script that came to its end, and in parts run since then.
        now: in the present run; the same set as ``shown`` once that has come to its end.
        told: values told since a run last came to its end.
    """

    shown: set[str] = field(default_factory=set)
    now: set[str] = field(default_factory=set)
    told: dict[str, Any] = field(default_factory=dict)


def begin() -> None:
    """Note that a run of the whole script begins."""
    _runs().now = set()


def end() -> None:
    """Note that it came to its end: only then does a browser put away what was not shown in it."""
    runs = _runs()
    runs.shown, runs.told = runs.now, {}


def tell(key: str) -> bool:
    """Tell the browser the value of a control about to be shown, if that comes back now.

    A browser that is about to put a control away may send its value along once more. Streamlit
    takes that for known, and the control would come back at the least value that it offers.
    A control that stays is not told: a late answer would put back what was changed meanwhile.

    Args:
        key: of the control.

    Returns:
        Whether it was told; no default may then be given to the widget.
    """
    runs, state = _runs(), st.session_state
    runs.now.add(key)
    if key not in state or key in runs.shown:
        return False
    value = state[key]
    if key in runs.told and runs.told[key] != value:
        return False  # it has been there in an unfinished run, and was changed by hand since
    state[key] = runs.told[key] = value
    return True


def _runs() -> _Runs:
    found: _Runs = st.session_state.setdefault(_RUNS, _Runs())
    return found
