"""Every network on every benchmark: how often right, and how a measure is spread."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import fitting, frames, picking, prune_made_up, saying
from components.geometry_names import Measure, middle, values
from components.tokens import SEQUENTIAL, colours, plotly_scale
from engine.prune_results import Geometry
from engine.scores import share_of

BINS = 16
_ROW, _LABEL, _BELOW = 52, 104.0, 6  # pixels
_FLAT = 48.0  # pixels of a name that stands flat
_LOW, _HIGH = 0.42, 0.30  # of a cell: where histograms stand, and how high they get
_WIDE = 0.86  # of a cell
_CUT = (1.0, 99.0)  # percentiles where histograms end
_INKS = ("rgba(255,255,255,0.75)", "rgba(17,19,24,0.55)")
_BRIGHT = 150.0  # from here on dark ink


def figure(
    found: Geometry, measure: Measure = "margin", chosen: tuple[int, int] | None = None
) -> go.Figure:
    """Draw a cell for each network and benchmark; a click returns both places.

    All histograms have the same ends, and their heights the same scale.

    Args:
        found: the geometry.
        measure: that histograms show.
        chosen: places of network and benchmark, ringed; or None.
    """
    right = 100 * found.right.mean(axis=-1)  # (models, benchmarks)
    models, benchmarks = right.shape
    drawn = go.Figure(
        go.Heatmap(
            z=right.astype(np.float32), zmin=0, zmax=100, colorscale=plotly_scale(SEQUENTIAL),
            showscale=False, xgap=2, ygap=2, hoverinfo="skip",
        )
    )  # fmt: skip
    bright = _brightness(right) > _BRIGHT
    bars, edges = _histograms(found, measure)
    for which, ink in ((~bright, _INKS[0]), (bright, _INKS[1])):
        drawn.add_trace(_outlines(bars, which, ink))
        drawn.add_trace(_numbers(right, which, "#FFFFFF" if ink == _INKS[0] else "#111318"))
    if measure == "margin" and edges[0] < 0 < edges[-1]:
        drawn.add_trace(_zero(edges, models, benchmarks))
    places = [(model, mark) for model in range(models) for mark in range(benchmarks)]
    drawn.add_trace(
        picking.cells(
            [mark for _, mark in places],
            [model for model, _ in places],
            places,
            [_said(found, *place, measure) for place in places],
            _ROW - 12,
        )
    )
    _axes(drawn, found)
    if chosen is not None:
        picking.ring(drawn, chosen[1], chosen[0], 0.47)
    return drawn


def alt(found: Geometry) -> str:
    """Describe the table for those who cannot see it: its best and worst cell."""
    right = found.right.mean(axis=-1)
    ends = []
    for word, place in (("best", right.argmax()), ("worst", right.argmin())):
        model, mark = np.unravel_index(int(place), right.shape)
        name = f"{found.models[model]} on {found.benchmarks[mark]}"
        ends.append(f"{word} {saying.share(float(right[model, mark]))} of {name}")
    return (
        f"Right answers of {len(found.models)} networks on {len(found.benchmarks)} benchmarks: "
        f"{', '.join(ends)}."
    )


def _histograms(found: Geometry, measure: Measure) -> tuple[np.ndarray, np.ndarray]:
    """Return heights 0 … 1, ``(models, benchmarks, BINS)``, and edges ``(BINS + 1,)``."""
    given = values(found, measure).astype(np.float64)
    there = given[np.isfinite(given)]
    low, high = np.percentile(there, _CUT) if len(there) else (0.0, 1.0)
    edges = np.linspace(low, high if high > low else low + 1, BINS + 1)
    clipped = np.clip(given, edges[0], edges[-1])
    counts = np.apply_along_axis(lambda row: np.histogram(row, edges)[0], -1, clipped)
    return counts / max(1, counts.max(initial=1)), edges


def _outlines(bars: np.ndarray, which: np.ndarray, ink: str) -> go.Scatter:
    """All histograms of one ink, as one trace of polygons."""
    steps = np.repeat(np.linspace(-_WIDE / 2, _WIDE / 2, BINS + 1), 2)
    x: list[float | None] = []
    y: list[float | None] = []
    for model, mark in np.argwhere(which):
        heights = np.concatenate([[0], np.repeat(bars[model, mark], 2), [0]])
        x += [*np.round(mark + steps, 3).tolist(), None]
        y += [*np.round(model + _LOW - _HIGH * heights, 3).tolist(), None]
    return go.Scatter(
        x=x, y=y, mode="lines", fill="toself", fillcolor=ink, line={"width": 0},
        hoverinfo="skip", connectgaps=False,
    )  # fmt: skip


def _numbers(right: np.ndarray, which: np.ndarray, ink: str) -> go.Scatter:
    places = np.argwhere(which)
    return go.Scatter(
        x=places[:, 1].tolist(),
        y=(places[:, 0] - 0.24).tolist(),
        mode="text",
        text=[saying.number(round(float(right[model, mark]))) for model, mark in places],
        textfont={"size": 12, "color": ink},
        hoverinfo="skip",
    )


def _zero(edges: np.ndarray, models: int, benchmarks: int) -> go.Scatter:
    """A short line at the decision boundary of each cell."""
    at = _WIDE * (-edges[0] / (edges[-1] - edges[0]) - 0.5)
    x = [v for _ in range(models) for m in range(benchmarks) for v in (m + at, m + at, None)]
    ends = (_LOW, _LOW - _HIGH, None)
    y = [v if v is None else n + v for n in range(models) for _ in range(benchmarks) for v in ends]
    return go.Scatter(
        x=[v if v is None else round(float(v), 3) for v in x], y=y, mode="lines",
        line={"color": "rgba(128,128,140,0.9)", "width": 1.2, "dash": "dot"},
        hoverinfo="skip", connectgaps=False,
    )  # fmt: skip


def _brightness(right: np.ndarray) -> np.ndarray:
    """Return how bright the cells are, 0 … 255 (Rec. 601)."""
    return np.asarray(colours(right / 100, SEQUENTIAL).astype(np.float64) @ (0.299, 0.587, 0.114))


def _said(found: Geometry, model: int, mark: int, measure: Measure) -> str:
    share = share_of(found.right[model, mark])
    ends = f"{saying.share(share.low)} – {saying.share(share.high)}"
    median = saying.number(middle(found, measure, model, mark))
    return saying.drawn(
        f"{found.models[model]}, {found.benchmarks[mark]}: {saying.share(share.value)} right "
        f"({ends}), median {measure} {median}"
    )


def _axes(drawn: go.Figure, found: Geometry) -> None:
    marks = [fitting.fitted(name, _LABEL) for name in found.benchmarks]
    names = [fitting.fitted(name, _LABEL) for name in found.models]
    flat = len(marks) <= 4 and all(fitting.width(mark) <= _FLAT for mark in marks)
    longest = max((fitting.width(mark) for mark in marks), default=0.0)
    above = 26 if flat else round(longest) + 14
    frames.finished(drawn, _ROW * len(names) + above + _BELOW)
    picking.on_grid(drawn, len(marks), len(names), 0.02)
    drawn.update_xaxes(
        tickvals=list(range(len(marks))), ticktext=[saying.drawn(m) for m in marks], side="top",
        tickangle=0 if flat else -90, tickfont={"size": 12},
    )  # fmt: skip
    drawn.update_yaxes(
        tickvals=list(range(len(names))), ticktext=[saying.drawn(n) for n in names],
        tickfont={"size": 12}, automargin=False,
    )  # fmt: skip
    left = 14 + max((fitting.width(name) for name in names), default=0.0)
    margin = {"l": left, "r": 2, "t": above, "b": _BELOW}
    drawn.update_layout(margin=margin, margin_autoexpand=False)


def example() -> go.Figure:
    """Five made-up networks on five benchmarks."""
    return figure(prune_made_up.geometry(), "margin", (2, 1))
