"""The map being looked at, as a chart: hovering tells the attribution's own value."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import views
from components.tokens import plotly_scale
from components.views import View

# Grids coarser than this are drawn smoothly; hovering still tells the cell's own value.
_COARSE = 32


def figure(view: View, unit: str = "", mask: np.ndarray | None = None) -> go.Figure:
    """Draw a map.

    Args:
        view: what to draw; its float32 values travel as they are.
        unit: what the values are counted in ("logit"), for the hover text.
        mask: bool, of any size, drawn as an outline over the map; or None.
    """
    rows, columns = view.values.shape
    smooth = "best" if max(rows, columns) <= _COARSE else False
    trace = go.Heatmap(
        z=np.ascontiguousarray(view.values, dtype=np.float32),
        zmin=view.low,
        zmax=view.limit,
        colorscale=plotly_scale(view.stops),
        showscale=False,
        zsmooth=smooth,
        hovertemplate=f"%{{z:.4g}} {unit}<br>row %{{y}}, column %{{x}}<extra></extra>",
    )
    drawn = go.Figure(trace)
    if mask is not None:
        drawn.add_traces(_outlines(mask, rows, columns))
    hidden = {"visible": False, "fixedrange": True, "constrain": "domain"}
    drawn.update_xaxes(range=[-0.5, columns - 0.5], **hidden)
    drawn.update_yaxes(range=[rows - 0.5, -0.5], scaleanchor="x", **hidden)
    drawn.update_layout(
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
        dragmode=False,
        hoverlabel={"font": {"size": 13}},
    )
    return drawn


def _outlines(mask: np.ndarray, rows: int, columns: int) -> list[go.Contour]:
    """A light line within a dark one: seen on every colour."""
    high, wide = mask.shape
    across = {
        "x0": columns / (2 * wide) - 0.5, "dx": columns / wide,
        "y0": rows / (2 * high) - 0.5, "dy": rows / high,
    }  # fmt: skip
    return [
        go.Contour(
            z=mask.astype(np.uint8),
            **across,
            contours={"type": "constraint", "operation": "=", "value": 0.5},
            line={"color": colour, "width": width},
            fillcolor="rgba(0,0,0,0)",
            hoverinfo="skip",
            showlegend=False,
        )
        for colour, width in (("#111318", 4), ("#FFFFFF", 1.6))
    ]


def example() -> go.Figure:
    """A made-up map."""
    return figure(views.example(), "logit")
