"""What the colours of dots mean, "layer 1 … 12", above a chart."""

from __future__ import annotations

import plotly.graph_objects as go

from components import fitting

_WIDE, _APART = 90, 8  # pixels: of the bar, and from it to the words


def add(drawn: go.Figure, layers: int, scale: list[list[float | str]]) -> None:
    """Tell above a chart that colour is the layer; in pixels, at the right end."""
    between(drawn, (0, max(1, layers - 1)), ("layer 1", str(layers)), scale)


def between(
    drawn: go.Figure,
    ends: tuple[float, float],
    told: tuple[str, str],
    scale: list[list[float | str]],
) -> None:
    """Tell above a chart what its colours mean; in pixels, at the right end.

    Args:
        drawn: with ``coloraxis`` as the axis of its colours.
        ends: the values at both ends of the scale.
        told: the same in words.
        scale: as Plotly wants it.
    """
    high = round(fitting.width(told[1])) + _APART
    bar = {
        "orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom",
        "lenmode": "pixels", "len": _WIDE + 2 * high, "thickness": 8, "outlinewidth": 0,
        "xpad": high, "ypad": 9, "showticklabels": False, "ticks": "",
    }  # fmt: skip
    drawn.update_layout(
        coloraxis={"colorscale": scale, "cmin": ends[0], "cmax": ends[1], "colorbar": bar}
    )
    for text, shift in ((told[1], 0), (told[0], -(_WIDE + high + 6))):
        drawn.add_annotation(
            x=1, y=1, xref="paper", yref="paper", xanchor="right", yanchor="bottom", text=text,
            showarrow=False, xshift=shift, yshift=2, font={"size": 12},
        )  # fmt: skip
