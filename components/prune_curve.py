"""What is left of a network as ever more of it goes, beside drawing lots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from components import frames, prune_made_up, saying
from components.prune_names import (
    Value,
    dense_value,
    told,
    value_of,
    value_title,
    way_name,
)
from components.tokens import ACCENT, BAR_CHOSEN, BAR_OTHER, KINDS
from engine.prune_results import PruneSweep
from engine.scores import Share, Shares

Along = Literal["ratio", "parameters"]

_HEIGHT = 340
_BAND = "rgba(99,102,241,0.16)"
_RANGE = "rgba(154,160,174,0.22)"
_OTHERS = KINDS[1:7]
_RIGHT = 0.64  # of the way across: from here on the marker is at the right
_HIGH = 0.85  # of the axis: from here on the number stands below the marker


def figure(
    found: PruneSweep,
    way: int,
    ratio: int,
    *,
    compare: Sequence[int] = (),
    value: Value = "accuracy",
    along: Along = "ratio",
) -> go.Figure:
    """Draw a value against what went; a click returns the places of way and ratio.

    Args:
        found: the sweep.
        way, ratio: places of what is looked at; the ratio is marked.
        compare: places of other ways, drawn thin.
        value: "accuracy", "confidence", "ece" (calibration error) or "agreement".
        along: what lies across: share of units that were asked to go, or parameters that went.
    """
    others = [place for place in dict.fromkeys(compare) if place != way]
    own = _values(found, way, value)
    drawn = go.Figure()
    drawn.add_traces(_control(found, way, value, along))
    drawn.add_traces(_band(_across(found, way, along), own.low, own.high, _BAND))
    for place, colour in zip(others, _OTHERS * len(others), strict=False):
        name = way_name(found, place, [way, *others])
        line = {"color": colour, "width": 1.4}
        drawn.add_trace(_line(found, place, value, along, name, line))
    line = {"color": BAR_CHOSEN, "width": 2.6}
    name = way_name(found, way, others or [way, *found.controls(way)])
    drawn.add_trace(_line(found, way, value, along, name, line))
    _axes(drawn, found, value, along)
    top = _top(found, value, [own, *(_values(found, place, value) for place in others)])
    drawn.update_yaxes(range=[0, top])
    x = float(_across(found, way, along)[ratio])
    right = x > _RIGHT * _end(found, along)
    _dense(drawn, found, value, right)
    _marker(drawn, x, float(own.value[ratio]), value, top, right)
    return drawn


def alt(found: PruneSweep, way: int, ratio: int, *, value: Value = "accuracy") -> str:
    """Describe the picture for those who cannot see it."""
    own = _values(found, way, value)
    first, here, last = (_said(own, at, value) for at in (0, ratio, len(found.ratios) - 1))
    return (
        f"{saying.begun(value_title(found, value))} of {way_name(found, way)} against the share "
        f"removed: {first} with nothing removed, {here} at "
        f"{saying.share(float(found.ratios[ratio]))}, {last} at "
        f"{saying.share(float(found.ratios[-1]))}."
    )


def _said(own: Shares, at: int, value: Value) -> str:
    one = Share(own.value[at], own.low[at], own.high[at], int(own.count[at]))
    return told(one, value)


def _values(found: PruneSweep, way: int, value: Value) -> Shares:
    return Shares.of(value_of(found, way, place, value) for place in range(len(found.ratios)))


def _across(found: PruneSweep, way: int, along: Along) -> np.ndarray:
    """Return where the points of a way lie across, in percent, float64 ``(ratios,)``."""
    if along == "ratio":
        return 100 * found.ratios.astype(np.float64)
    whole = float(found.display["parameters"])
    return np.asarray(100 * (1 - found.parameters[way].astype(np.float64) / whole))


def _control(found: PruneSweep, way: int, value: Value, along: Along) -> list[go.Scatter]:
    """The mean of all drawings, dashed, within their range; nothing without any."""
    drawings = found.controls(way)
    if not drawings:
        return []
    every = np.stack([_values(found, place, value).value for place in drawings])
    x = np.mean([_across(found, place, along) for place in drawings], axis=0)
    mean, low, high = every.mean(axis=0), every.min(axis=0), every.max(axis=0)
    count = f"mean of {saying.counted(len(drawings), 'drawing')}"
    texts = [
        f"random, {saying.number(at)} % {_GONE[along]}: {told(_bare(m), value)} "
        f"({count}: {told(_bare(a), value)} … {told(_bare(b), value)})"
        for at, m, a, b in zip(x, mean, low, high, strict=True)
    ]
    line = {"color": BAR_OTHER, "width": 2, "dash": "dash"}
    own = _curve(x, mean, texts, "random control", line, drawings[0])
    own.marker.symbol = "diamond"
    return [*_band(x, low, high, _RANGE), own]


_GONE = {"ratio": "of the units gone", "parameters": "of the parameters gone"}


def _bare(value: float) -> Share:
    return Share(float(value), float("nan"), float("nan"), 0)


def _band(x: np.ndarray, low: np.ndarray, high: np.ndarray, colour: str) -> list[go.Scatter]:
    there = np.isfinite(low) & np.isfinite(high)
    if not there.any():
        return []
    around = np.concatenate([x[there], x[there][::-1]])
    ends = 100 * np.concatenate([high[there], low[there][::-1]])
    return [
        go.Scatter(
            x=_short(around), y=_short(ends), fill="toself", fillcolor=colour,
            line={"width": 0}, mode="lines", hoverinfo="skip", showlegend=False,
        )
    ]  # fmt: skip


def _line(
    found: PruneSweep, way: int, value: Value, along: Along, name: str, line: dict[str, Any]
) -> go.Scatter:
    own, x = _values(found, way, value), _across(found, way, along)
    texts = [
        f"{name}, {saying.number(float(at))} % {_GONE[along]}: {_said(own, place, value)}"
        for place, at in enumerate(x)
    ]
    return _curve(x, own.value, texts, name, line, way)


def _curve(
    x: np.ndarray, y: np.ndarray, texts: list[str], name: str, line: dict[str, Any], way: int
) -> go.Scatter:
    return go.Scatter(
        x=_short(x),
        y=_short(100 * y),
        mode="lines+markers",
        name=saying.drawn(name),
        line=line,
        marker={"size": 3.2 + 1.6 * line["width"], "color": line["color"]},
        customdata=[[way, place] for place in range(len(x))],
        text=[saying.drawn(text) for text in texts],
        hovertemplate="%{text}<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
    )


def _top(found: PruneSweep, value: Value, lines: list[Shares]) -> float:
    """Return where the axis ends, in percent: at all, unless it is an error that is drawn."""
    if value != "ece":
        return 104.0
    largest = [np.nanmax(one.value, initial=0.0) for one in lines]
    return max(10.0, 115 * float(max(*largest, dense_value(found, value).value)))


def _axes(drawn: go.Figure, found: PruneSweep, value: Value, along: Along) -> None:
    frames.finished(drawn, _HEIGHT)
    what = "units" if along == "ratio" else "parameters"
    end = _end(found, along)
    drawn.update_xaxes(
        title=frames.axis_title(f"{what} removed (%)"), range=[-0.02 * end, 1.03 * end],
        fixedrange=True, showgrid=False, zeroline=False, nticks=8,
    )  # fmt: skip
    title = f"{value_title(found, value)} (%)"
    drawn.update_yaxes(title=frames.axis_title(title), showgrid=True, nticks=6)
    frames.legend_above(drawn, traceorder="reversed")


def _end(found: PruneSweep, along: Along) -> float:
    """Return how far the axis across reaches, in percent."""
    return 100.0 if along == "parameters" else max(10.0, 100 * float(found.ratios[-1]))


def _dense(drawn: go.Figure, found: PruneSweep, value: Value, right: bool) -> None:
    """Draw where the untouched network is, its name away from the marker."""
    at = 100 * dense_value(found, value).value
    if not np.isfinite(at):
        return
    line = {"color": BAR_OTHER, "width": 1}
    drawn.add_shape(type="line", xref="paper", x0=0, x1=1, y0=at, y1=at, line=line, layer="below")
    drawn.add_annotation(
        text="untouched", x=int(not right), xref="paper", y=at, yanchor="bottom",
        xanchor="left" if right else "right",
        showarrow=False, font={"size": 11},
    )  # fmt: skip


def _marker(
    drawn: go.Figure, x: float, height: float, value: Value, top: float, right: bool
) -> None:
    frames.line_at(drawn, float(x), ACCENT, "dot")
    if not np.isfinite(height):
        return
    above = "bottom" if 100 * height > _HIGH * top else "top"
    side = "left" if right else "right"
    drawn.add_scatter(
        x=[round(float(x), 3)], y=[round(100 * height, 3)], mode="markers+text",
        marker={"size": 13, "color": ACCENT, "line": {"color": "#FFFFFF", "width": 2}},
        text=[told(_bare(height), value)], textposition=f"{above} {side}",
        textfont={"size": 14}, cliponaxis=False, hoverinfo="skip", showlegend=False,
    )  # fmt: skip


def _short(values: np.ndarray) -> list[float | None]:
    return [round(float(v), 3) if np.isfinite(v) else None for v in values]


def example() -> go.Figure:
    """A made-up sweep: half of the units gone, another criterion beside it."""
    return figure(prune_made_up.sweep(), 5, 6, compare=(6, 0))
