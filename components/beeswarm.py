"""Many rows at once: what each column adds to each of them, one dot for each row."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import fitting, frames, made_up, saying, spreading, swarm_dots
from components.facts import Facts, facts_of
from components.tokens import VALUES, plotly_scale
from engine.table_results import Swarm

TOP = 12
_ROW = 40  # pixels
_LABEL = 150.0


def figure(swarm: Swarm, chosen: int | None = None, top: int = TOP) -> go.Figure:
    """Draw one band for each column, the most important on top.

    Dots are drawn as SVG, not WebGL: that works on machines without a graphics card as well,
    and 24 000 dots take about a second.

    Args:
        swarm: the explanations of many rows.
        chosen: number of a row whose dots are ringed, or None.
        top: how many columns to show.

    A click on a dot returns the number of its row as ``customdata``.
    """
    told = facts_of(swarm)
    order = np.argsort(-swarm.importance(), kind="stable")[:top]
    x = swarm.values[:, order].astype(np.float64) * told.factor  # (rows, shown)
    y = spreading.heights(x)
    drawn = go.Figure()
    for band, column in enumerate(order):
        drawn.add_traces(swarm_dots.band(swarm, told, int(column), x[:, band], y[:, band]))
    drawn.add_traces(swarm_dots.chosen(swarm, told, order, chosen, x, y))
    _axes(drawn, told, [told.titles[column] for column in order])
    return drawn


def alt(swarm: Swarm, top: int = TOP) -> str:
    """Describe the picture for those who cannot see it."""
    told, size = facts_of(swarm), swarm.importance()
    order = np.argsort(-size, kind="stable")[:3]
    parts = [f"{told.titles[p]} (on average {told.change(float(size[p]))})" for p in order]
    shown = min(top, swarm.values.shape[1])
    return (
        f"Beeswarm of {saying.counted(len(swarm.rows), 'row')} and "
        f"{saying.counted(shown, 'column')}, the most important on top: {saying.joined(parts)}."
    )


def _axes(drawn: go.Figure, told: Facts, titles: list[str]) -> None:
    drawn.update_xaxes(
        title=told.axis_of_changes,
        fixedrange=True,
        nticks=8,
        tickangle=0,
        zeroline=False,
        showgrid=True,
    )
    drawn.update_yaxes(
        tickvals=np.arange(len(titles)),
        ticktext=[saying.drawn(fitting.fitted(title, _LABEL)) for title in titles],
        range=[len(titles) - 0.5, -0.5],
        tickfont={"size": 12},
    )
    frames.line_at(drawn, 0.0)
    _key(drawn)
    frames.finished(drawn, _ROW * len(titles) + 84)
    drawn.update_layout(margin={"t": 26}, hovermode="closest")


def _key(drawn: go.Figure) -> None:
    """Tell above the bands what the colours mean: "own value: low … high", in pixels."""
    wide, high = 90, 34
    bar = {
        "orientation": "h", "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom",
        "lenmode": "pixels", "len": wide + 2 * high, "thickness": 8, "outlinewidth": 0,
        "xpad": high, "ypad": 9, "showticklabels": False, "ticks": "",
    }  # fmt: skip
    drawn.update_layout(
        coloraxis={"colorscale": plotly_scale(VALUES), "cmin": 0, "cmax": 255, "colorbar": bar}
    )
    for text, shift in (("high", 0), ("own value: low", -(wide + high + 6))):
        drawn.add_annotation(
            x=1, y=1, xref="paper", yref="paper", xanchor="right", yanchor="bottom", text=text,
            showarrow=False, xshift=shift, yshift=2, font={"size": 12},
        )  # fmt: skip


def example() -> go.Figure:
    """A made-up table of 200 rows."""
    return figure(made_up.swarm(), chosen=7)
