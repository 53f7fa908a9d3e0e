"""Many rows at once: what each column adds to each of them, one dot for each row."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import fitting, frames, made_up, ranks, saying, spreading
from components.facts import Facts, facts_of
from components.tokens import BAR_OTHER, VALUES, plotly_scale
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
        drawn.add_traces(_band(swarm, told, int(column), x[:, band], y[:, band]))
    drawn.add_traces(_rings(swarm, chosen, x, y))
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


def _band(swarm: Swarm, told: Facts, column: int, x: np.ndarray, y: np.ndarray) -> list[go.Scatter]:
    """Return the dots of a column: those with a value, coloured by it, and those without."""
    inputs = swarm.inputs[:, column].astype(np.float64)
    there = np.isfinite(inputs)
    colour = np.rint(255 * _shade(inputs, told, column)[there]).astype(np.uint8)
    scale = {"color": colour, "coloraxis": "coloraxis"}
    dots = [(there, scale)] if there.any() else []
    if not there.all():
        dots.append((~there, {"color": BAR_OTHER}))
    names = {value: told.cell(column, float(value)) for value in np.unique(inputs[there])}
    return [
        go.Scatter(
            x=x[chosen].astype(np.float32),
            y=y[chosen].astype(np.float32),
            mode="markers",
            marker={"size": 5, "opacity": 0.8, **marker},
            customdata=_small(swarm.rows[chosen]),
            text=[saying.drawn(names.get(value, "empty")) for value in inputs[chosen]],
            meta=saying.drawn(told.titles[column]),
            hovertemplate=f"row %{{customdata}}<br>%{{meta}} = %{{text}}: %{{x:{_hover(told)}}}"
            f"{' points' if told.kind == 'probability' else ''}<extra></extra>",
            selected={"marker": {"opacity": 0.8}},
            unselected={"marker": {"opacity": 0.8}},
        )
        for chosen, marker in dots
    ]


def _shade(inputs: np.ndarray, told: Facts, column: int) -> np.ndarray:
    """Return where values lie between low and high, 0 … 1: by rank; categories by place."""
    names = told.categories.get(told.columns[column])
    if names is None:
        return ranks.places(inputs)
    return inputs / max(1, len(names) - 1)


def _hover(told: Facts) -> str:
    return "+.1f" if told.kind == "probability" else "+.3~g"


def _small(rows: np.ndarray) -> np.ndarray:
    """Row numbers in as few bytes as they need."""
    return rows.astype(np.int16 if rows.max(initial=0) < 2**15 else np.int32)


def _rings(swarm: Swarm, chosen: int | None, x: np.ndarray, y: np.ndarray) -> list[go.Scatter]:
    """A light ring within a dark one around the chosen row's dots: seen on every colour."""
    places = [] if chosen is None else np.flatnonzero(swarm.rows == chosen)[:1].tolist()
    return [
        go.Scatter(
            x=x[place],
            y=y[place],
            mode="markers",
            marker={"size": 12, "symbol": "circle-open", "color": colour, "line": {"width": wide}},
            customdata=np.full(x.shape[1], swarm.rows[place]),
            hoverinfo="skip",
        )
        for place in places
        for colour, wide in (("#111318", 4.5), ("#FFFFFF", 2))
    ]


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
