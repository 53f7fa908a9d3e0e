"""Many rows at once: what each column adds to each of them, one dot for each row."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import fitting, frames, layer_key, made_up, saying, spreading, swarm_dots
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
    layer_key.between(drawn, (0, 255), ("own value: low", "high"), plotly_scale(VALUES))
    frames.finished(drawn, _ROW * len(titles) + 84)
    drawn.update_layout(margin={"t": 26}, hovermode="closest")


def example() -> go.Figure:
    """A made-up table of 200 rows."""
    return figure(made_up.swarm(), chosen=7)
