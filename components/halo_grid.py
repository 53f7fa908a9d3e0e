"""The halos of all pairs, small, the strongest interaction first; a click picks a pair."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import plotly.graph_objects as go

from components import fitting, frames, halo_shape, interaction_made_up, picking, saying
from components.halo_shape import HaloShape
from components.interaction_names import (
    LESS,
    MORE,
    order_of,
    pair_named,
    reached,
    spread_told,
)
from components.tokens import ACCENT, BAR_CHOSEN, BAR_OTHER, faded
from engine.interaction_results import Interactions

_CELL = 164  # pixels
_LEAST, _MOST = 1.2, 1.8  # radius of the cells in units of ε; what is farther is cut
_EDGE, _TITLE = 1.1, 0.45  # of that radius: half a cell's width, and its title's height
_LABEL = 140.0  # pixels: what a line of a title takes where cells are small
_PIECES = 3  # between two neighbours of a small curve


def figure(
    found: Interactions, rate: int = -1, chosen: int | None = None, columns: int = 4
) -> go.Figure:
    """Draw a small halo for each pair; a click returns the pair's place.

    Args:
        found: the interactions.
        rate: place of the budget in ``found.epsilons``.
        chosen: place of the pair that is looked at, framed; or None.
        columns: halos in a row.
    """
    order = [int(pair) for pair in order_of(found)]
    columns = max(1, min(columns, len(order)))
    reach = _reach(found, rate)
    wide, high = 2 * _EDGE * reach, (2 * _EDGE + _TITLE) * reach
    middles = {
        pair: np.array([wide * (at % columns), -high * (at // columns)])
        for at, pair in enumerate(order)
    }
    drawn = _halos(found, rate, middles, reach)
    spots = np.array(list(middles.values()))
    spread = found.spread()
    texts = [f"{saying.drawn(pair_named(found, p))}<br>{spread_told(spread[p])}" for p in order]
    keys = [[pair] for pair in order]
    drawn.add_trace(picking.cells(spots[:, 0].tolist(), spots[:, 1].tolist(), keys, texts, _CELL))
    titles = [
        {
            "x": x, "y": y + (_EDGE + _TITLE) * reach, "text": _title(found, pair),
            "showarrow": False, "yanchor": "top", "font": {"size": 11},
        }
        for pair, (x, y) in middles.items()
    ]  # fmt: skip
    if chosen in middles:
        _frame(drawn, middles[chosen], reach)
    rows = -(-len(order) // columns)
    frames.finished(drawn, round(_CELL * rows * high / wide))
    hidden = {"visible": False, "fixedrange": True, "constrain": "domain"}
    drawn.update_xaxes(range=[-wide / 2, wide * (columns - 0.5)], **hidden)
    drawn.update_yaxes(
        range=[-high * (rows - 1) - wide / 2, high - wide / 2], scaleanchor="x",
        constraintoward="top", **hidden,
    )  # fmt: skip
    drawn.update_layout(hoverdistance=-1, hovermode="closest", annotations=titles)
    return drawn


def _title(found: Interactions, pair: int) -> str:
    """Return the name of a pair in two lines."""
    one, other = (found.titles[i] for i in found.pairs[pair])
    lines = (fitting.fitted(one, _LABEL, 11), fitting.fitted(f"× {other}", _LABEL, 11))
    return "<br>".join(saying.drawn(line) for line in lines)


def _reach(found: Interactions, rate: int) -> float:
    """Return the radius of the cells in units of ε: that of the curve that leaves farthest."""
    most = float((found.halo_loss[rate] - found.base_loss).max(initial=0.0))
    return float(np.clip(most / (found.epsilons[rate] or 1.0), _LEAST, _MOST))


def _halos(
    found: Interactions, rate: int, middles: dict[int, np.ndarray], reach: float
) -> go.Figure:
    shapes = {pair: _shape(found, pair, rate, reach) for pair in middles}
    drawn = go.Figure()
    for part, colour in (
        ("core", faded(BAR_CHOSEN, 0.12)),
        ("more", faded(MORE, 0.5)),
        ("less", faded(LESS, 0.5)),
    ):
        lines = [getattr(shapes[pair], part) + middle for pair, middle in middles.items()]
        drawn.add_trace(_all(lines, fill="toself", fillcolor=colour, line={"width": 0}))
    circles = [halo_shape.circle(1.0)[::4] + middle for middle in middles.values()]
    drawn.add_trace(_all(circles, line={"color": BAR_OTHER, "width": 1.2, "dash": "dot"}))
    for part, line in (
        ("known", {"color": BAR_CHOSEN, "width": 1.8}),
        ("unknown", {"color": BAR_OTHER, "width": 1.4, "dash": "dot"}),
    ):
        curves = [getattr(shapes[pair], part) + middle for pair, middle in middles.items()]
        if np.isfinite(curves).any():
            drawn.add_trace(_all(curves, line=line))
    return drawn


def _shape(found: Interactions, pair: int, rate: int, reach: float) -> HaloShape:
    """Return a halo in units of its ε, cut where it would reach its neighbours."""
    curve = found.halo(pair, rate)
    known = reached(found, pair, curve.steps, curve.signs, rate)
    unit = curve.expected or 1.0
    shape = halo_shape.shape_of(curve, known, reach * unit, _PIECES)
    return HaloShape(*(getattr(shape, part.name) / unit for part in fields(shape)))


def _all(lines: list[np.ndarray], **how: object) -> go.Scatter:
    """Return many lines as one trace, with gaps between them."""
    gap = np.full((1, 2), np.nan)
    points = np.concatenate([part for line in lines for part in (line, gap)]).astype(np.float32)
    return go.Scatter(
        x=points[:, 0], y=points[:, 1], mode="lines", hoverinfo="skip", connectgaps=False, **how
    )


def _frame(drawn: go.Figure, middle: np.ndarray, reach: float) -> None:
    x, y = (float(v) for v in middle)
    half = (_EDGE - 0.02) * reach
    drawn.add_shape(
        type="rect", x0=x - half, x1=x + half, y0=y - half, y1=y + half + _TITLE * reach,
        line={"color": ACCENT, "width": 2}, layer="below",
    )  # fmt: skip


def alt(found: Interactions, rate: int = -1) -> str:
    """Describe the picture for those who cannot see it."""
    order = order_of(found)
    first = saying.joined([pair_named(found, int(pair)) for pair in order[:3]])
    return (
        f"Halos of {saying.counted(len(order), 'pair')} at ε = "
        f"{saying.number(float(found.epsilons[rate]))}, the strongest first: {first}."
    )


def example() -> go.Figure:
    """Fifteen made-up pairs."""
    return figure(interaction_made_up.interactions(), chosen=0)
