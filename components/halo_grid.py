"""The halos of all pairs, small, the strongest interaction first; a click picks a pair."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import frames, halo_shape, interaction_made_up, picking, saying
from components.interaction_names import (
    LESS,
    MORE,
    crossed,
    order_of,
    pair_named,
    reached,
)
from components.tokens import ACCENT, BAR_CHOSEN, BAR_OTHER
from engine.interaction_results import Interactions

_CELL = 168  # pixels
_REACH = 1.75  # radius in units of ε at which small curves are cut
_HALF, _UP = 2.0, 2.55  # of a cell in units of ε: to the sides, and up to its title
_LABEL = 150.0


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
    order = order_of(found)
    columns = max(1, min(columns, len(order)))
    rows = -(-len(order) // columns)
    at = {int(pair): divmod(n, columns)[::-1] for n, pair in enumerate(order)}
    shapes = {pair: _shape(found, pair, rate) for pair in at}
    drawn = go.Figure()
    for part, colour in (("core", BAR_CHOSEN), ("more", MORE), ("less", LESS)):
        lines = [getattr(shapes[pair], part) + _middle(*at[pair]) for pair in at]
        drawn.add_trace(_all(lines, fill=_tint(colour, 0.12 if part == "core" else 0.5)))
    circles = [halo_shape.circle(1.0)[::4] + _middle(*at[pair]) for pair in at]
    drawn.add_trace(_all(circles, colour=BAR_OTHER, width=1.2, dash="dot"))
    curves = [shapes[pair].whole + _middle(*at[pair]) for pair in at]
    drawn.add_trace(_all(curves, colour=BAR_CHOSEN, width=1.8))
    middles = np.array([_middle(*at[pair]) for pair in at])
    drawn.add_trace(
        picking.cells(
            middles[:, 0].tolist(),
            middles[:, 1].tolist(),
            [[pair] for pair in at],
            [_told(found, pair) for pair in at],
            _CELL,
        )
    )
    for pair, place in at.items():
        _title(drawn, found, pair, _middle(*place))
    if chosen in at:
        _frame(drawn, _middle(*at[chosen]))
    frames.finished(drawn, _CELL * rows)
    _axes(drawn, columns, rows)
    return drawn


def _shape(found: Interactions, pair: int, rate: int) -> halo_shape.HaloShape:
    """Return a halo in units of its ε, cut where it would reach its neighbours."""
    curve = found.halo(pair, rate)
    known = reached(found, pair, curve.steps, curve.signs, rate)
    whole = halo_shape.shape_of(curve, known, _REACH * curve.expected)
    return halo_shape.HaloShape(
        *(
            getattr(whole, part) / (curve.expected or 1.0)
            for part in ("whole", "more", "less", "core")
        )
    )


def _middle(column: int, row: int) -> np.ndarray:
    return np.array([2 * _HALF * column, -(_HALF + _UP) * row])


def _all(
    lines: list[np.ndarray],
    *,
    fill: str = "",
    colour: str = BAR_OTHER,
    width: float = 0.0,
    dash: str = "solid",
) -> go.Scatter:
    """Return many lines as one trace, with gaps between them."""
    gap = np.full((1, 2), np.nan)
    points = np.concatenate([part for line in lines for part in (line, gap)]).astype(np.float32)
    return go.Scatter(
        x=points[:, 0], y=points[:, 1], mode="lines", hoverinfo="skip", connectgaps=False,
        line={"color": colour, "width": width, "dash": dash},
        fill="toself" if fill else "none", fillcolor=fill or None,
    )  # fmt: skip


def _tint(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _told(found: Interactions, pair: int) -> str:
    low, middle, high = (saying.signed(float(v)) for v in found.spread()[pair])
    return f"{saying.drawn(pair_named(found, pair))}<br>FIS {low} … {middle} … {high}"


def _title(drawn: go.Figure, found: Interactions, pair: int, at: np.ndarray) -> None:
    told = crossed([found.titles[i] for i in found.pairs[pair]], _LABEL, 11)
    drawn.add_annotation(
        x=at[0], y=at[1] + _UP, text=saying.drawn(told), showarrow=False, yanchor="top",
        font={"size": 11},
    )  # fmt: skip


def _frame(drawn: go.Figure, at: np.ndarray) -> None:
    drawn.add_shape(
        type="rect", x0=at[0] - _HALF + 0.05, x1=at[0] + _HALF - 0.05, y0=at[1] - _HALF + 0.05,
        y1=at[1] + _UP - 0.02, line={"color": ACCENT, "width": 2}, layer="below",
    )  # fmt: skip


def _axes(drawn: go.Figure, columns: int, rows: int) -> None:
    hidden = {"visible": False, "fixedrange": True}
    drawn.update_xaxes(
        range=[-_HALF, (2 * columns - 1) * _HALF], constrain="domain", **hidden
    )
    high = (_HALF + _UP) * (rows - 1) + _HALF
    drawn.update_yaxes(
        range=[-high, _UP], scaleanchor="x", constrain="domain", constraintoward="top", **hidden
    )
    drawn.update_layout(hoverdistance=-1, hovermode="closest")


def alt(found: Interactions, rate: int = -1) -> str:
    """Describe the picture for those who cannot see it."""
    order = order_of(found)
    first = [pair_named(found, int(pair)) for pair in order[:3]]
    return (
        f"Halos of {saying.counted(len(order), 'pair')} at ε = "
        f"{saying.number(float(found.epsilons[rate]))}, the strongest first: {saying.joined(first)}."
    )


def example() -> go.Figure:
    """Fifteen made-up pairs."""
    return figure(interaction_made_up.interactions(), chosen=0)
