"""Layers from top to bottom, heads from left to right: the axes of all heads at once.

Their margins are fixed: where Plotly finds them itself it draws everything twice.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from components import picking
from components.export import png
from components.tokens import colours
from components.views import View

LEFT, BELOW, KEY = 56, 26, 26  # pixels beside, below and above the cells
_FONT = {"size": 12}
_EDGE = 0.06  # of a cell, so that a ring around the outermost ones is whole
_KEY_WIDE, _KEY_HIGH, _KEY_UP = 0.3, 8, 8  # of the width; pixels


def fit(drawn: go.Figure, layers: int, heads: int, *, key: bool = False, **more: Any) -> None:
    """Fit the axes to cells and number them.

    Args:
        drawn: cells numbered from 0.
        layers, heads: how many there are.
        key: leave room for a colour key above.
        **more: for both axes.
    """
    picking.on_grid(drawn, heads, layers, _EDGE)
    same = {"tickfont": _FONT, "automargin": False, **more}
    places = some(heads)
    drawn.update_xaxes(
        tickvals=places,
        ticktext=[str(at + 1) for at in places],
        tickangle=0,
        ticklabelstandoff=3,
        **same,
    )
    names = ["layer 1", *(str(layer + 1) for layer in range(1, layers))]
    drawn.update_yaxes(tickvals=list(range(layers)), ticktext=names, **same)
    drawn.add_annotation(
        text="head", x=0, y=0, xref="x domain", yref="y domain", xanchor="right", yanchor="top",
        xshift=-6, yshift=-9, showarrow=False, font=_FONT,
    )  # fmt: skip
    margin = {"l": LEFT, "r": 2, "t": KEY if key else 2, "b": BELOW}
    drawn.update_layout(margin=margin, margin_autoexpand=False)


def some(count: int) -> list[int]:
    """Every place where there are few, every fourth where there are many.

    >>> some(3), some(14)
    ([0, 1, 2], [0, 3, 7, 11])
    """
    return list(range(count)) if count <= 12 else [0, *range(3, count, 4)]


def add_key(drawn: go.Figure, view: View, ends: str, high: float) -> None:
    """Tell above the cells what the colours mean.

    Args:
        drawn: with room for it.
        view: the scale.
        ends: the values at both ends, in words.
        high: height of all cells in pixels.
    """
    add_key_of(drawn, view.stops, ends, high)


def add_key_of(drawn: go.Figure, stops: tuple[str, ...], ends: str, high: float) -> None:
    """Do the same for colours that are no view's."""
    strip = Image.fromarray(colours(np.linspace(0, 1, 64), stops)[None])
    drawn.add_layout_image(
        source="data:image/png;base64," + base64.b64encode(png(strip)).decode(),
        xref="paper", yref="paper", x=0, y=1 + _KEY_UP / high, yanchor="bottom",
        sizex=_KEY_WIDE, sizey=_KEY_HIGH / high, sizing="stretch",
    )  # fmt: skip
    drawn.add_annotation(
        text=ends, x=_KEY_WIDE, y=1, xref="paper", yref="paper", xanchor="left", yanchor="bottom",
        xshift=4, yshift=1, showarrow=False, font=_FONT,
    )  # fmt: skip
