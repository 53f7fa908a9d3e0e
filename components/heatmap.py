"""The map being looked at, as a chart: hovering tells the attribution's own value."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import views
from components.tokens import plotly_scale
from components.views import View

# Grids coarser than this are drawn smoothly; hovering still tells the cell's own value.
_COARSE = 32


def figure(view: View, unit: str = "") -> go.Figure:
    """Draw a map.

    Args:
        view: what to draw; its float32 values travel as they are.
        unit: what the values are counted in ("logit"), for the hover text.
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


def example() -> go.Figure:
    """A made-up map."""
    return figure(views.example(), "logit")
