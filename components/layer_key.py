"""What the colours of dots mean: "layer 1 … 12", above a chart."""

from __future__ import annotations

import plotly.graph_objects as go


def add(drawn: go.Figure, layers: int, scale: list[list[float | str]]) -> None:
    """Tell above a chart that colour is the layer; in pixels, at the right end."""
    wide, high = 90, 22
    bar = {
        "orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom",
        "lenmode": "pixels", "len": wide + 2 * high, "thickness": 8, "outlinewidth": 0,
        "xpad": high, "ypad": 9, "showticklabels": False, "ticks": "",
    }  # fmt: skip
    drawn.update_layout(
        coloraxis={"colorscale": scale, "cmin": 0, "cmax": max(1, layers - 1), "colorbar": bar}
    )
    for text, shift in ((str(layers), 0), ("layer 1", -(wide + high + 6))):
        drawn.add_annotation(
            x=1, y=1, xref="paper", yref="paper", xanchor="right", yanchor="bottom", text=text,
            showarrow=False, xshift=shift, yshift=2, font={"size": 12},
        )  # fmt: skip
