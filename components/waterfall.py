"""One row of a table: from the base value, column by column, to the prediction."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import bar_rows, frames, made_up
from components.bar_rows import Bars
from components.contributions import Waterfall, has_base, waterfall_of
from components.tokens import BAR_OTHER

TOP = 12


def figure(rows: Waterfall, top: int = TOP) -> go.Figure:
    """Draw a waterfall; a click on a bar returns the place of its column, -1 for the rest."""
    bars = _bars(rows, top)
    drawn = bar_rows.figure(bars, rows.facts.narrow_axis, first=-1.2, last=1.2)
    ends = bars.starts + bars.lengths
    last = len(ends) - 0.5
    for x, y, name, dash, between in (
        (rows.base, -0.85, rows.begins_at, "dot", (-1.2, last)),
        (rows.end, last + 0.35, "this row", "solid", (-0.5, last + 0.7)),
    ):
        x_drawn = x * rows.facts.factor
        frames.line_at(drawn, x_drawn, dash=dash, between=between)
        _mark(drawn, x_drawn, y, f"{name}: <b>{rows.facts.level(x)}</b>")
    drawn.add_trace(_connectors(ends))
    drawn.update_xaxes(ticksuffix=rows.facts.suffix, nticks=5)
    return drawn


def alt(rows: Waterfall) -> str:
    """Describe the picture for those who cannot see it."""
    told = rows.facts
    parts = [
        f"{hover} {told.step(value)}"
        for hover, value in zip(rows.hovers[:3], rows.values[:3], strict=True)
    ]
    return (
        f"Waterfall from {told.level(rows.base)} ({rows.begins_at}) to {told.level(rows.end)} "
        f"(this row): {', '.join(parts)}."
    )


def _bars(rows: Waterfall, top: int) -> Bars:
    shown = bar_rows.shown_of(len(rows.values), top)
    rest = len(rows.values) - shown
    values, labels = list(rows.values[:shown]), list(rows.labels[:shown])
    hovers, keys = list(rows.hovers[:shown]), [int(p) for p in rows.order[:shown]]
    if rest:
        values.append(float(rows.values[shown:].sum()))
        labels.append(f"{rest} other columns")
    colours = bar_rows.by_sign(values)
    if rows.left_over:
        values.append(rows.residual)
        labels.append("not shared out")
        colours.append(BAR_OTHER)
    hovers += labels[shown:]
    lengths = np.array(values) * rows.facts.factor
    starts = rows.base * rows.facts.factor + np.concatenate([[0.0], np.cumsum(lengths)[:-1]])
    texts = [rows.facts.step(value) for value in values]
    return Bars(
        labels,
        starts,
        lengths,
        texts,
        bar_rows.hovers(hovers, values, rows.facts),
        colours,
        _errors(rows, shown, len(values)),
        [*keys, *[-1] * (len(values) - shown)],
    )


def _errors(rows: Waterfall, shown: int, bars: int) -> np.ndarray | None:
    """Whiskers for the columns shown by name alone: errors of sums are not known."""
    if rows.error is None:
        return None
    found = np.full(bars, np.nan)
    found[:shown] = rows.error[:shown] * rows.facts.factor
    return found


def _connectors(ends: np.ndarray) -> go.Scatter:
    """Thin lines from the end of each bar to the beginning of the next."""
    count = len(ends) - 1
    x = np.repeat(ends[:-1], 3)
    y = np.add.outer(np.arange(count), np.array([0.31, 0.69, np.nan])).ravel()
    line = {"color": BAR_OTHER, "width": 1}
    return go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip")


def _mark(drawn: go.Figure, x: float, y: float, text: str) -> None:
    """Write beside a line, on the side where there is room."""
    low, high = drawn.layout.xaxis.range
    right = (x - low) < 0.4 * (high - low)
    drawn.add_annotation(
        x=x,
        y=y,
        text=text,
        showarrow=False,
        xanchor="left" if right else "right",
        xshift=5 if right else -5,
        font={"size": 12},
    )


def example() -> go.Figure:
    """A made-up row."""
    return figure(waterfall_of(made_up.attribution()))


__all__ = ["TOP", "Waterfall", "alt", "example", "figure", "has_base", "waterfall_of"]
