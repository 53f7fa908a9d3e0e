"""What the views share: the interactions, where one looks at them, and which clicks look where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
import streamlit as st

from dashboard.heads import selecting
from dashboard.interactions import marks

if TYPE_CHECKING:
    from dashboard.interactions.choosing import Asked
    from dashboard.interactions.marks import Member
    from engine.interaction_results import Interactions


@dataclass(frozen=True, eq=False)
class Looked:
    """Interactions that are there, and where one looks.

    Attributes:
        asked: what was asked for, with the input that models are compared on.
        found: the interactions.
        current: whether they answer what the widgets ask for now.
        rate: place of the budget in ``found.epsilons``.
        pair: place of the pair in ``found.pairs``.
        member: the pair's model that is looked at, or None.
    """

    asked: Asked
    found: Interactions
    current: bool
    rate: int
    pair: int
    member: Member | None

    @property
    def epsilon(self) -> float:
        """How far above L* a loss may be."""
        return float(self.found.epsilons[self.rate])

    @property
    def dot(self) -> tuple[int, int] | None:
        """Pair and model as swarms tell them, or None."""
        if self.member is None:
            return None
        if self.member.other is not None:
            return self.pair, -1 - self.member.other
        return None if self.member.cloud is None else (self.pair, self.member.cloud)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A figure with what it shows, to be taken away.

    Attributes:
        figure: as it is shown.
        title: of the figure.
        words: what it says.
    """

    figure: go.Figure
    title: str
    words: str


def chart(
    drawn: go.Figure,
    name: str,
    alt: str,
    take: Callable[[list[int]], None] | None = None,
    shape: tuple[int, int] | None = None,
) -> None:
    """Show a figure; ``take`` is called with what a clicked mark stands for."""

    def pick(key: str) -> None:
        data = picked(key)
        if data and take is not None:
            take(data)

    selecting.chart(drawn, f"i-{name}", alt, None if take is None else pick, shape=shape)


def beside(left: int, right: int) -> list[Any]:
    """Return two places beside each other, of these widths; below each other where it is narrow."""
    with st.container(key="i-both"):
        return list(st.columns([left, right]))


def picked(key: str) -> list[int]:
    """Return what a clicked mark stands for; nothing where none was clicked."""
    points: list[Any] = st.session_state[key]["selection"]["points"]
    data = points[0].get("customdata") if points else None
    if data is None:
        return []
    if isinstance(data, dict):  # so the browser tells a line of a typed array: {"0": …, "1": …}
        data = [data[str(place)] for place in range(len(data))]
    return [int(part) for part in data] if isinstance(data, list | tuple) else [int(data)]


def take_pair(looked: Looked, data: list[int]) -> None:
    """Look at a pair that was clicked; one that was not looked at closely is remembered."""
    if len(data) > 1:
        st.session_state["i-far"] = (min(data), max(data))
    else:
        st.session_state.pop("i-far", None)
        marks.look_at(looked.found, data[0])
