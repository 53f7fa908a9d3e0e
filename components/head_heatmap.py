"""How much each head matters, layer by head; a click picks a head."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import plotly.graph_objects as go

from components import frames, head_axes, head_made_up, picking, saying
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
        scores: of all heads; cells without a head stay empty, and those of heads of which only
            the gradient is known.
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
    places = [(layer, head) for layer, count in enumerate(scores.heads) for head in range(count)]
    drawn.add_trace(
        picking.cells(
            [head for _, head in places],
            [layer for layer, _ in places],
            places,
            [told(scores, *place, unit, place in off) for place in places],
            _ROW - 8,
        )
    )
    frames.finished(drawn, _ROW * layers + head_axes.BELOW + head_axes.KEY)
    head_axes.fit(drawn, layers, heads, key=True)
    head_axes.add_key(drawn, view, _ends(view, unit), _ROW * layers)
    if chosen is not None:
        picking.ring(drawn, chosen[1], chosen[0], 0.47)
    return drawn


def told(scores: HeadScores, layer: int, head: int, unit: str, off: bool = False) -> str:
    """Say a head's score: "layer 4, head 1: 0.12 ± 0.01 logit, off"."""
    if scores.cheap is not None and np.isnan(scores.values[layer, head]):
        known = saying.number(float(scores.cheap[layer, head]))
        ends = f" (gradient {known}){', off' if off else ''}"
        return saying.drawn(f"{named(layer, head)}: not judged{ends}")
    give = ""
    if scores.error is not None:
        give = f" ± {saying.number(ERRORS * float(scores.error[layer, head]), 2)}"
    value = saying.number(float(scores.values[layer, head]))
    ends = f"{f' {unit}' if unit else ''}{', off' if off else ''}"
    return saying.drawn(f"{named(layer, head)}: {value}{give}{ends}")


def _ends(view: View, unit: str) -> str:
    """Say the values at the ends of the scale."""
    ends = f"{saying.number(view.low, 2)} … {saying.number(view.limit, 2)}"
    return saying.drawn(f"{ends} {unit}".strip())


def example() -> go.Figure:
    """Made-up scores, a head chosen and two switched off."""
    return figure(head_made_up.scores(), "probability", (4, 2), {(0, 1), (2, 5)})
