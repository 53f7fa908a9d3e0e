"""What is clicked on: cells laid over pictures, transparent until chosen, and rings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import plotly.graph_objects as go

from components.tokens import ACCENT

RINGS = (("#111318", 5.0), ("#FFFFFF", 2.2))  # light within dark: seen on every colour
_MOST = 60.0


def cells(
    x: Sequence[float],
    y: Sequence[float],
    keys: Sequence[Sequence[int]],
    texts: Sequence[str],
    size: float,
) -> go.Scatter:
    """Return an invisible mark over each cell of a picture, that tells what it is.

    Args:
        x, y: middles of the cells.
        keys: what a click returns, of each cell.
        texts: told when pointed at.
        size: of the marks in pixels, about that of a cell.
    """
    return go.Scatter(
        x=list(x),
        y=list(y),
        mode="markers",
        marker={
            "symbol": "square-open",
            "size": min(_MOST, max(6.0, size)),
            "opacity": 0,
            "color": ACCENT,
            "line": {"width": 3},
        },
        customdata=[list(key) for key in keys],
        text=list(texts),
        hovertemplate="%{text}<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 0}},
        showlegend=False,
    )


def ring(drawn: go.Figure, x: float, y: float, half: float = 0.5) -> None:
    """Draw a ring around the cell at a place."""
    for colour, width in RINGS:
        drawn.add_shape(
            type="rect", x0=x - half, x1=x + half, y0=y - half, y1=y + half,
            line={"color": colour, "width": width}, layer="above",
        )  # fmt: skip


def rings(x: Sequence[float], y: Sequence[float], size: float = 13) -> list[go.Scatter]:
    """Return round rings around dots."""
    return [
        go.Scatter(
            x=list(x),
            y=list(y),
            mode="markers",
            marker={
                "size": size,
                "symbol": "circle-open",
                "color": colour,
                "line": {"width": width * 0.9},
            },
            hoverinfo="skip",
            showlegend=False,
        )
        for colour, width in RINGS
    ]


def crosses(places: Iterable[tuple[float, float]], half: float = 0.3) -> list[go.Scatter]:
    """Return crosses that strike out cells at ``(x, y)``; none without any."""
    x: list[float | None] = []
    y: list[float | None] = []
    for across, down in places:
        for sign in (-1, 1):
            x += [across - half, across + half, None]
            y += [down - sign * half, down + sign * half, None]
    if not x:
        return []
    return [
        go.Scatter(
            x=x, y=y, mode="lines", line={"color": colour, "width": width * 0.8},
            hoverinfo="skip", showlegend=False, connectgaps=False,
        )
        for colour, width in RINGS
    ]  # fmt: skip


def on_grid(drawn: go.Figure, columns: int, rows: int, edge: float = 0.0) -> None:
    """Fit the axes to cells numbered from 0, the first row on top; ``edge`` of a cell around."""
    same = {"fixedrange": True, "showgrid": False, "zeroline": False, "ticks": ""}
    drawn.update_xaxes(range=[-0.5 - edge, columns - 0.5 + edge], **same)
    drawn.update_yaxes(range=[rows - 0.5 + edge, -0.5 - edge], **same)
    drawn.update_layout(hoverdistance=-1)
