"""How much each head matters, layer by head; a click picks a head."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import plotly.graph_objects as go

from components import frames, head_made_up, picking, saying
from components.head_names import named
from components.tokens import plotly_scale
from components.views import View
from engine.head_results import HeadScores

ERRORS = 2  # told: two standard errors to each side
_ROW = 30  # pixels
_SIGNED = 0.05  # negative values that are smaller, by the largest, are taken for none


def scale(scores: HeadScores) -> View:
    """Return the scale of the heatmap: from zero, or around zero where heads do harm."""
    values = np.nan_to_num(scores.values)
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    if low < -_SIGNED * high:
        return View("signed", values, max(-low, high), max(-low, high))
    return View("positive", values, high or 1.0, high)


def figure(
    scores: HeadScores,
    unit: str = "",
    chosen: tuple[int, int] | None = None,
    off: Collection[tuple[int, int]] = (),
) -> go.Figure:
    """Draw the scores; a click returns layer and head, counted from 0.

    Args:
        scores: of all heads; cells without a head stay empty.
        unit: of the values ("logit"), told when pointed at.
        chosen: the head that is looked at, ringed; or None.
        off: heads that are switched off, struck out.
    """
    layers, heads = scores.values.shape
    view = scale(scores)
    drawn = go.Figure(
        go.Heatmap(
            z=scores.values,
            zmin=view.low,
            zmax=view.limit,
            colorscale=plotly_scale(view.stops),
            showscale=False,
            xgap=2,
            ygap=2,
            hoverinfo="skip",
            hoverongaps=False,
        )
    )
    drawn.add_traces(picking.crosses((head, layer) for layer, head in sorted(off)))
    places = [(int(a), int(b)) for a, b in np.argwhere(np.isfinite(scores.values))]
    drawn.add_trace(
        picking.cells(
            [head for _, head in places],
            [layer for layer, _ in places],
            places,
            [told(scores, *place, unit, place in off) for place in places],
            _ROW - 8,
        )
    )
    frames.finished(drawn, _ROW * layers + 46)
    picking.on_grid(drawn, heads, layers)
    _labels(drawn, layers, heads)
    if chosen is not None:
        picking.ring(drawn, chosen[1], chosen[0], 0.47)
    return drawn


def told(scores: HeadScores, layer: int, head: int, unit: str, off: bool = False) -> str:
    """Say a head's score: "layer 4, head 1: 0.12 ± 0.01 logit, off"."""
    give = ""
    if scores.error is not None:
        give = f" ± {saying.number(ERRORS * float(scores.error[layer, head]), 2)}"
    value = saying.number(float(scores.values[layer, head]))
    ends = f"{f' {unit}' if unit else ''}{', off' if off else ''}"
    return saying.drawn(f"{named(layer, head)}: {value}{give}{ends}")


def _labels(drawn: go.Figure, layers: int, heads: int) -> None:
    drawn.update_xaxes(
        title={"text": "head", "font": {"size": 12}, "standoff": 4},
        tickvals=_some(heads),
        ticktext=[str(index + 1) for index in _some(heads)],
        tickfont={"size": 12},
        tickangle=0,
    )
    drawn.update_yaxes(
        tickvals=list(range(layers)),
        ticktext=[
            f"layer {index + 1}" if index == 0 else str(index + 1) for index in range(layers)
        ],
        tickfont={"size": 12},
    )


def _some(count: int) -> list[int]:
    """Every place where there are few, every fourth where there are many."""
    return list(range(count)) if count <= 12 else [0, *range(3, count, 4)]


def example() -> go.Figure:
    """Made-up scores, a head chosen and two switched off."""
    return figure(head_made_up.scores(), "probability", (4, 2), {(0, 1), (2, 5)})
