"""A measure of heads over the layers: a dot for each head, a line for the mean."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import frames, head_made_up, picking, saying
from components.head_names import TITLES, UNITS, measured, named
from components.tokens import BAR_CHOSEN, BAR_OTHER
from engine.head_results import HeadStrength

_HEIGHT = 280
_SPREAD = 0.28  # heads of a layer stand side by side


def figure(
    strength: HeadStrength, measure: str = "distance", chosen: tuple[int, int] | None = None
) -> go.Figure:
    """Draw a measure; a click on a dot returns layer and head, counted from 0.

    Args:
        strength: of all heads.
        measure: one of ``MEASURES``.
        chosen: the head that is looked at, ringed; or None.
    """
    values = strength.measure(measure).astype(np.float64)
    error = strength.error_of(measure)
    keys = [(int(a), int(b)) for a, b in np.argwhere(np.isfinite(values))]
    factor = 1.0 if measure in UNITS else 100.0
    x = [_place(layer, head, strength.heads[layer]) for layer, head in keys]
    y = [round(float(factor * values[key]), 5) for key in keys]
    drawn = go.Figure(
        go.Scatter(
            x=x,
            y=y,
            mode="markers",
            marker={"size": 7, "color": BAR_OTHER, "opacity": 0.9, "line": {"width": 0}},
            customdata=[list(key) for key in keys],
            text=[_told(key, measure, values, error) for key in keys],
            hovertemplate="%{text}<extra></extra>",
            selected={"marker": {"opacity": 0.9}},
            unselected={"marker": {"opacity": 0.9}},
        )
    )
    drawn.add_trace(_mean(strength, measure, factor))
    if chosen in keys:
        at = keys.index(chosen)
        drawn.add_traces(picking.rings([x[at]], [y[at]], 13))
    frames.finished(drawn, _HEIGHT)
    _axes(drawn, len(strength.heads), measure)
    return drawn


def _place(layer: int, head: int, heads: int) -> float:
    """Where a head stands: those of a layer side by side around the layer's number."""
    return round(layer + 1 + _SPREAD * ((head + 0.5) / heads * 2 - 1), 4)


def _told(key: tuple[int, int], measure: str, values: np.ndarray, error: np.ndarray | None) -> str:
    give = ""
    if error is not None:
        give = f" ± {saying.number(2 * (1 if measure in UNITS else 100) * float(error[key]), 2)}"
    return saying.drawn(f"{named(*key)}: {measured(measure, float(values[key]))}{give}")


def _mean(strength: HeadStrength, measure: str, factor: float) -> go.Scatter:
    means = strength.trend(measure)
    there = np.isfinite(means)
    return go.Scatter(
        x=(np.flatnonzero(there) + 1).tolist(),
        y=[round(float(factor * mean), 5) for mean in means[there]],
        mode="lines",
        line={"color": BAR_CHOSEN, "width": 2.4},
        hoverinfo="skip",
    )


def _axes(drawn: go.Figure, layers: int, measure: str) -> None:
    unit = UNITS.get(measure, "%")
    drawn.update_xaxes(
        title={"text": "layer", "font": {"size": 13}},
        range=[0.5, layers + 0.5],
        dtick=1 if layers <= 12 else 4,
        tick0=1 if layers <= 12 else 0,
        fixedrange=True,
        showgrid=False,
        zeroline=False,
    )
    drawn.update_yaxes(
        title={"text": f"{TITLES[measure]} ({unit})", "font": {"size": 13}},
        rangemode="tozero",
        showgrid=True,
        nticks=6,
    )
    drawn.update_layout(hovermode="closest")


def example() -> go.Figure:
    """Made-up distances, a head chosen."""
    return figure(head_made_up.strength(), "distance", (3, 1))
