"""What is drawn of a column's effects: the rows' lines, the average and its band, the rug."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import curves, saying
from components.bar_rows import ERRORS
from components.facts import Facts
from components.tokens import ACCENT, BAR_CHOSEN, BAR_OTHER
from engine.table_results import Effects

LINES, RUG = 200, 200
BAND = "rgba(99,102,241,0.22)"


def lines_shown(effects: Effects) -> np.ndarray:
    """Return which rows' lines are drawn: all, or 200 evenly picked in order of their middle."""
    if effects.lines is None:
        return np.arange(0)
    count = len(effects.lines)
    if count <= LINES:
        return np.arange(count)
    order = np.argsort(effects.lines.mean(axis=1), kind="stable")
    return order[np.linspace(0, count - 1, LINES).round().astype(np.int64)]


def rows(effects: Effects, told: Facts) -> list[go.Scatter]:
    """All rows' lines as one trace with gaps."""
    shown = lines_shown(effects)
    if effects.lines is None or effects.rows is None or not len(shown):
        return []
    y = np.pad(effects.lines[shown] * told.factor, ((0, 0), (0, 1)), constant_values=np.nan)
    x = np.tile(np.append(effects.grid, np.nan), len(shown))
    rows = np.repeat(effects.rows[shown].astype(np.int32), y.shape[1])
    return [
        go.Scatter(
            x=x.astype(np.float32),
            y=y.astype(np.float32).ravel(),
            customdata=rows,
            mode="lines",
            line={"color": BAR_OTHER, "width": 1},
            opacity=0.28 if len(shown) > 60 else 0.45,
            hovertemplate="row %{customdata}<extra></extra>",
        )
    ]


def average(effects: Effects, told: Facts) -> list[go.Scatter]:
    """The band of two standard errors to each side, and the curve."""
    x, y = effects.grid, effects.values.astype(np.float64) * told.factor
    traces = []
    if effects.error is not None:
        give = ERRORS * effects.error.astype(np.float64) * told.factor
        traces.append(
            go.Scatter(
                x=np.concatenate([x, x[::-1]]),
                y=np.concatenate([y + give, (y - give)[::-1]]),
                fill="toself",
                fillcolor=BAND,
                line={"width": 0, "color": BAR_CHOSEN},
                mode="lines",
                hoverinfo="skip",
            )
        )
    place = curves.place_of(effects)
    texts = [
        f"{told.cell(place, float(at))}: {curves.say(effects, told, float(value))}"
        for at, value in zip(effects.grid, effects.values, strict=True)
    ]
    curve = go.Scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": BAR_CHOSEN, "width": 3},
        text=[saying.drawn(text) for text in texts],
        hovertemplate="on average<br>%{text}<extra></extra>",
    )
    return [*traces, curve]


def highlight(effects: Effects, told: Facts, row: int | None) -> list[go.Scatter]:
    """The chosen row's own line, where there is one."""
    if effects.lines is None or effects.rows is None or row is None:
        return []
    return [
        go.Scatter(
            x=effects.grid,
            y=effects.lines[place].astype(np.float64) * told.factor,
            customdata=np.full(len(effects.grid), row),
            mode="lines",
            line={"color": ACCENT, "width": 2.5},
            hovertemplate="this row, %{customdata}<extra></extra>",
        )
        for place in np.flatnonzero(effects.rows == row)[:1]
    ]


def rug(effects: Effects) -> list[go.Scatter]:
    """Ticks where the rows are: at most 200, evenly picked in order of their value."""
    seen = np.zeros(0) if effects.density is None else np.sort(effects.density)
    seen = seen[np.isfinite(seen)]
    if len(seen) > RUG:
        seen = seen[np.linspace(0, len(seen) - 1, RUG).round().astype(np.int64)]
    marker = {"symbol": "line-ns-open", "size": 11, "color": BAR_OTHER, "line": {"width": 1}}
    return [
        go.Scatter(
            x=seen, y=np.zeros(len(seen)), yaxis="y2", mode="markers", marker=marker,
            opacity=0.6, hoverinfo="skip",
        )
    ] if len(seen) else []  # fmt: skip
