"""Colours and scales, the same in light and dark."""

from __future__ import annotations

import numpy as np

BAR_CHOSEN = "#6366F1"
BAR_OTHER = "#9AA0AE"
ACCENT = "#F59E0B"
FONT = "Inter, sans-serif"

# Lightness rises steadily.
SEQUENTIAL = (
    "#07040F", "#1B0C41", "#4A0C6B", "#781C6D", "#A52C60",
    "#CF4446", "#ED6925", "#FB9B06", "#F7D13D", "#FCFFA4",
)  # fmt: skip
# Pairs stay apart for the three kinds of colour blindness.
DIVERGING = (
    "#08519C", "#2171B5", "#5A9BD4", "#9DC3E6", "#DCE6F0", "#F4F4F5",
    "#F9E3CC", "#F4B27A", "#E8833A", "#C65A11", "#8C3A04",
)  # fmt: skip
# What speaks for and against, from the diverging scale: 3 : 1 and more on light and on dark.
POSITIVE, NEGATIVE = DIVERGING[9], DIVERGING[1]
# A column's own value, low to high: seen on light and on dark, lightness rises.
VALUES = ("#5B6CF0", "#8A63E0", "#BA5CC4", "#DD5A93", "#F0705A", "#F59A23")
# Kinds of things, apart for the three kinds of colour blindness too; seen on light and on dark.
KINDS = (
    "#6366F1", "#D55E00", "#009E73", "#CC79A7", "#0072B2",
    "#E69F00", "#56B4E9", "#7A7F8C", "#8C510A",
)  # fmt: skip


def plotly_scale(stops: tuple[str, ...]) -> list[list[float | str]]:
    """Return a scale as Plotly wants it: ``[[0, colour], …, [1, colour]]``."""
    return [[index / (len(stops) - 1), stop] for index, stop in enumerate(stops)]


def faded(colour: str, opacity: float) -> str:
    """Return a colour that lets through what lies below.

    >>> faded("#6366F1", 0.1)
    'rgba(99,102,241,0.1)'
    """
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def colours(values: np.ndarray, stops: tuple[str, ...]) -> np.ndarray:
    """Map values in [0, 1] of shape ``(…)`` to uint8 RGB ``(…, 3)``, linear between stops."""
    table = np.array([[int(s[i : i + 2], 16) for i in (1, 3, 5)] for s in stops], dtype=np.float64)
    position = np.clip(np.nan_to_num(values), 0, 1) * (len(stops) - 1)
    channels = [np.interp(position, np.arange(len(stops)), table[:, c]) for c in range(3)]
    return np.rint(np.stack(channels, axis=-1)).astype(np.uint8)
