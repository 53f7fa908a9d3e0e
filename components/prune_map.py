"""What went, on a map of the network: a bar for each layer, a cell for each unit of one."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import fitting, frames, head_axes, picking, prune_made_up, saying
from components.prune_names import unit
from components.tokens import BAR_CHOSEN, BAR_OTHER, VALUES, plotly_scale
from engine.prune_results import Layer, PruneSweep

_BOLD = 1.1  # how much wider a name in bold is, about
_LABEL, _BESIDE = 118.0, 78.0  # pixels: names at the left, numbers at the right
_BELOW = 42
_GONE = 0.3  # opacity
_KEY = 26
_CLIP = 98.0  # percentile of the scores that ends the colour scale


def counts(found: PruneSweep, way: int, ratio: int) -> tuple[np.ndarray, np.ndarray]:
    """Return how many units each layer keeps and has, int64 ``(layers,)`` each."""
    kept = found.kept_in(way, ratio)
    stay = [int(kept[layer.name].sum()) for layer in found.layers]
    return np.array(stay), np.array([layer.size for layer in found.layers])


def figure(
    found: PruneSweep,
    way: int,
    ratio: int,
    *,
    group: str | None = None,
    absolute: bool = False,
) -> go.Figure:
    """Draw a bar for each layer, first on top; a click returns the layer's place.

    Args:
        found: the sweep.
        way, ratio: places of what is looked at.
        group: name of the layer that is looked at, in bold; or None.
        absolute: bars as long as layers have units; else all of the same length.
    """
    layers = found.layers
    stay, size = counts(found, way, ratio)
    scale = np.ones(len(size)) if absolute else 100 / np.maximum(1, size)
    high, letters = _row(len(layers))
    drawn = go.Figure()
    for units, colour, opacity in (
        (stay, BAR_CHOSEN, 1.0),
        (size - stay, BAR_OTHER, _GONE),
    ):
        drawn.add_trace(_bars(found, units * scale, stay, colour, opacity))
    drawn.add_trace(_numbers(size * scale, stay, size, letters))
    own = [layer.name == group for layer in layers]
    names = [saying.drawn(fitting.ending(layer.name, _LABEL, letters)) for layer in layers]
    frames.finished(drawn, high * len(layers) + _BELOW)
    drawn.update_yaxes(
        tickvals=list(range(len(layers))),
        ticktext=[
            f"<b>{name}</b>" if mine else name for name, mine in zip(names, own, strict=True)
        ],
        range=[len(layers) - 0.5, -0.5],
        tickfont={"size": letters},
        automargin=False,
    )
    _across(drawn, absolute, float((size * scale).max(initial=1)))
    widest = max((fitting.width(name, letters) for name in names), default=0.0)
    left = 18 + widest * (_BOLD if any(own) else 1.0)
    margin = {"l": left, "r": _BESIDE, "t": 2, "b": _BELOW}
    drawn.update_layout(barmode="stack", bargap=0.25, margin=margin, margin_autoexpand=False)
    return drawn


def alt(found: PruneSweep, way: int, ratio: int) -> str:
    """Describe the bars for those who cannot see them."""
    stay, size = counts(found, way, ratio)
    told = [
        f"{layer.title} {a} of {b}" for layer, a, b in zip(found.layers, stay, size, strict=True)
    ]
    return f"What stays of each layer: {'; '.join(told)}."


def _row(layers: int) -> tuple[int, int]:
    """Return the height of a row and the size of its letters, in pixels."""
    return (26, 12) if layers <= 12 else (20, 12) if layers <= 30 else (15, 11)


def _bars(
    found: PruneSweep, lengths: np.ndarray, stay: np.ndarray, colour: str, opacity: float
) -> go.Bar:
    return go.Bar(
        x=np.round(lengths, 2).tolist(),
        y=list(range(len(lengths))),
        orientation="h",
        marker={"color": colour, "opacity": opacity, "line": {"width": 0}},
        customdata=[[place] for place in range(len(lengths))],
        hovertext=[
            saying.drawn(_said(layer, int(left)))
            for layer, left in zip(found.layers, stay, strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        selected={"marker": {"opacity": opacity}},
        unselected={"marker": {"opacity": opacity}},
    )


def _said(layer: Layer, stay: int) -> str:
    gone = layer.size - stay
    return (
        f"{layer.title}: {stay} of {saying.counted(layer.size, unit(layer.kind))} stay, "
        f"{saying.number(gone, 9)} gone ({saying.share(gone / max(1, layer.size))})"
    )


def _numbers(ends: np.ndarray, stay: np.ndarray, size: np.ndarray, letters: int) -> go.Scatter:
    return go.Scatter(
        x=ends.tolist(),
        y=list(range(len(ends))),
        mode="text",
        text=[f" {a} of {b}" for a, b in zip(stay.tolist(), size.tolist(), strict=True)],
        textposition="middle right",
        textfont={"size": letters},
        cliponaxis=False,
        hoverinfo="skip",
    )


def _across(drawn: go.Figure, absolute: bool, end: float) -> None:
    drawn.update_xaxes(
        title=frames.axis_title("units" if absolute else "units that stay (%)"),
        range=[0, end], fixedrange=True, showgrid=False, zeroline=False, nticks=6, ticks="",
    )  # fmt: skip


def cells(found: PruneSweep, way: int, ratio: int, group: str) -> go.Figure:
    """Draw a cell for each unit of a layer; a click returns the places of layer and unit.

    Args:
        found: the sweep.
        way, ratio: places of what is looked at; what went is pale and crossed.
        group: name of the layer.
    """
    place, layer = _layer(found, group)
    scores, kept = _scores(found, way, layer), found.kept_in(way, ratio)[group]
    columns = _columns(layer.size)
    rows = -(-layer.size // columns)
    high = _high(layer.size)
    drawn = go.Figure()
    for which, opacity in ((kept, 1.0), (~kept, _GONE)):
        drawn.add_trace(
            _colours(np.where(which, scores, np.nan), rows, columns, _limits(scores), opacity)
        )
    at = np.arange(layer.size)
    x, y = at % columns, at // columns
    drawn.add_trace(_crosses(x[~kept], y[~kept], high / 3))
    texts = _texts(scores, kept, unit(layer.kind))
    keys = [(place, index) for index in range(layer.size)]
    drawn.add_trace(picking.cells(x.tolist(), y.tolist(), keys, texts, high - 6))
    frames.finished(drawn, high * rows + _KEY + 4)
    picking.on_grid(drawn, columns, rows, 0.1)
    for update in (drawn.update_xaxes, drawn.update_yaxes):
        update(visible=False)
    head_axes.add_key_of(drawn, VALUES, _ends(scores), high * rows)
    drawn.update_layout(margin={"l": 0, "r": 0, "t": _KEY, "b": 4})
    return drawn


def cells_alt(found: PruneSweep, way: int, ratio: int, group: str) -> str:
    """Describe the cells for those who cannot see them."""
    _, layer = _layer(found, group)
    kept, scores = found.kept_in(way, ratio)[group], _scores(found, way, layer)
    stay = f"{int(kept.sum())} of {saying.counted(layer.size, unit(layer.kind))} stay"
    if kept.all() or not np.isfinite(scores).any():
        return f"{layer.title}: {stay}."
    ends = " to ".join(saying.number(float(f(scores[~kept])), 2) for f in (np.min, np.max))
    return f"{layer.title}: {stay}; scores of those that went: {ends}."


def _layer(found: PruneSweep, group: str) -> tuple[int, Layer]:
    return next((i, layer) for i, layer in enumerate(found.layers) if layer.name == group)


def _scores(found: PruneSweep, way: int, layer: Layer) -> np.ndarray:
    return found.scores[way, layer.start : layer.start + layer.size].astype(np.float64)


def _columns(size: int) -> int:
    """How many cells stand beside each other: never so many that a phone cannot show them."""
    return size if size <= 12 else 16 if size <= 128 else 32


def _high(size: int) -> int:
    """Return how high a row of cells is, in pixels."""
    return 34 if size <= 12 else 22 if size <= 256 else 14


def _limits(scores: np.ndarray) -> tuple[float, float]:
    """Return the ends of the colour scale: the largest few scores share the last colour."""
    there = scores[np.isfinite(scores)]
    if not len(there):
        return 0.0, 1.0
    low, high = float(there.min()), float(np.percentile(there, _CLIP))
    return low, high if high > low else low + 1.0


def _colours(
    scores: np.ndarray, rows: int, columns: int, limits: tuple[float, float], opacity: float
) -> go.Heatmap:
    padded = np.full(rows * columns, np.nan, np.float32)
    padded[: len(scores)] = scores
    return go.Heatmap(
        z=padded.reshape(rows, columns),
        zmin=limits[0],
        zmax=limits[1],
        colorscale=plotly_scale(VALUES),
        showscale=False,
        opacity=opacity,
        xgap=2,
        ygap=2,
        hoverinfo="skip",
        hoverongaps=False,
    )


def _crosses(x: np.ndarray, y: np.ndarray, size: float) -> go.Scatter:
    line = {"width": 1.4, "color": BAR_OTHER}
    return go.Scatter(
        x=x.astype(np.int16),
        y=y.astype(np.int16),
        mode="markers",
        marker={"symbol": "x-thin", "size": size, "line": line, "color": BAR_OTHER},
        hoverinfo="skip",
        showlegend=False,
    )


def _texts(scores: np.ndarray, kept: np.ndarray, what: str) -> list[str]:
    """Say unit, score, rank and fate: "channel 12: 0.031, 3rd lowest of 64, gone"."""
    rank = np.empty(len(scores), dtype=np.int64)
    rank[np.argsort(scores, kind="stable")] = np.arange(1, len(scores) + 1)
    return [
        f"{what} {index + 1}: {saying.number(float(score))}, rank {place} of {len(scores)} "
        f"from below, {'stays' if stays else 'gone'}"
        for index, (score, place, stays) in enumerate(zip(scores, rank, kept, strict=True))
    ]


def _ends(scores: np.ndarray) -> str:
    there = scores[np.isfinite(scores)]
    if not len(there):
        return "no scores · ✕ gone"
    low, high = saying.number(float(there.min()), 2), saying.number(float(there.max()), 2)
    return f"{low} … {high} · ✕ gone"


def example() -> go.Figure:
    """A made-up network of which half went."""
    return figure(prune_made_up.sweep(), 0, 5, group="layer2.1.conv1")


def example_cells() -> go.Figure:
    """The same, one layer of it."""
    return cells(prune_made_up.sweep(), 0, 5, "layer3.0.conv1")
