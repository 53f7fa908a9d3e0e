"""Whether a model knows how sure it may be: confidence against how often it is right."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components.tokens import BAR_CHOSEN, BAR_OTHER, FONT
from engine.scores import Calibration


def figure(calibration: Calibration) -> go.Figure:
    """Draw a reliability diagram; the width of a dot tells how many pictures it stands for."""
    filled = calibration.count > 0
    count = calibration.count[filled]
    x, y = calibration.confidence[filled], calibration.accuracy[filled]
    drawn = go.Figure()
    drawn.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": BAR_OTHER, "dash": "dot", "width": 1.5},
        hoverinfo="skip",
        showlegend=False,
    )
    drawn.add_scatter(
        x=x,
        y=y,
        mode="lines+markers",
        line={"color": BAR_CHOSEN, "width": 2},
        marker={
            "size": 7 + 17 * np.sqrt(count / max(1, count.max(initial=1))),
            "color": BAR_CHOSEN,
            "opacity": 0.85,
        },
        customdata=count,
        hovertemplate="sure to %{x:.0%}, right in %{y:.0%} of %{customdata}<extra></extra>",
        showlegend=False,
    )
    axis = {"range": [-0.03, 1.06], "tickformat": ".0%", "fixedrange": True, "dtick": 0.25}
    drawn.update_xaxes(title="how sure it is", **axis)
    drawn.update_yaxes(title="how often it is right", **axis)
    drawn.update_layout(
        height=300,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        dragmode=False,
        font={"family": FONT},
    )
    return drawn


def example() -> go.Figure:
    """Made-up bins."""
    found = Calibration(
        count=np.array([0, 10, 40]),
        confidence=np.array([np.nan, 0.5, 0.9]),
        accuracy=np.array([np.nan, 0.4, 0.8]),
        error=0.1,
    )
    return figure(found)
