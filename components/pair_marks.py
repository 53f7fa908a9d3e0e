"""Marks on the cells of pairs: on which all good models agree, and which were only glanced at."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from components import fitting, sign_agreement
from components.tokens import BAR_OTHER
from engine.interaction_results import Interactions

_BELOW, _LINE = 58, 19  # pixels: of the colour key, and of a line of words
_STRIPES = 4  # of a cell


def marked(found: Interactions, epsilon: float | None) -> tuple[list[int], list[int]]:
    """Return the pairs on whose sign all good models agree, and those where they differ."""
    verdicts = list(enumerate(sign_agreement.verdicts(found, epsilon)))
    agree = [pair for pair, verdict in verdicts if verdict in ("plus", "minus")]
    return agree, [pair for pair, verdict in verdicts if verdict == "both"]


def corners(found: Interactions, pairs: list[int], symbol: str) -> go.Scatter:
    """Return a mark in the corner of each cell."""
    i, j = found.pairs[pairs].T.astype(float)
    return go.Scatter(
        x=(np.concatenate([i, j]) + 0.38).tolist(),
        y=(np.concatenate([j, i]) - 0.33).tolist(),
        mode="markers",
        marker={
            "symbol": symbol, "size": 7, "color": "#FFFFFF",
            "line": {"width": 1.2, "color": "#111318"},
        },
        hoverinfo="skip",
    )  # fmt: skip


def stripes(far: list[list[int]]) -> go.Scatter:
    """Return thin stripes over cells at ``(row, column)``."""
    x: list[float | None] = []
    y: list[float | None] = []
    for row, column in far:
        for at in (np.arange(_STRIPES) + 0.5) / _STRIPES:
            half = min(at, 1 - at) * 0.94
            x += [column - half + at - 0.5, column + half + at - 0.5, None]
            y += [row - half + 0.5 - at, row + half + 0.5 - at, None]
    return go.Scatter(
        x=x, y=y, mode="lines", line={"color": BAR_OTHER, "width": 1}, hoverinfo="skip",
        connectgaps=False,
    )  # fmt: skip


def tell(
    drawn: go.Figure, title: str, *, agree: list[int], differ: list[int], far: list[Any]
) -> None:
    """Tell below the cells what colours and marks mean; words begin where the names do."""
    names = drawn.layout.yaxis.ticktext or ()
    back = max((fitting.width(name) for name in names), default=0.0)
    lines = [
        (title, [title]),
        ("hatched: not looked at closely, the reference alone", far),
        ("○ all good models agree in the sign", agree),
        ("× some have one sign, some the other", differ),
    ]
    shown = [line for line, there in lines if there]
    for at, line in enumerate(shown):
        drawn.add_annotation(
            x=0, y=0, xref="paper", yref="paper", xanchor="left", yanchor="top", text=line,
            xshift=-round(back), yshift=-_BELOW + 14 - _LINE * at, showarrow=False,
            font={"size": 12}, align="left",
        )  # fmt: skip
    below = _BELOW + _LINE * len(shown)
    drawn.update_layout(height=drawn.layout.height + below, margin={"b": below}, hoverdistance=-1)
