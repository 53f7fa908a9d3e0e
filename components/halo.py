"""Two features that share what the loss may rise by: does moving both cost more than the sum?"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import (
    fitting,
    frames,
    halo_points,
    halo_shape,
    interaction_made_up,
    picking,
    saying,
)
from components.interaction_names import (
    LESS,
    MORE,
    pair_named,
    reached,
)
from components.tokens import BAR_CHOSEN, BAR_OTHER, faded
from engine.halo_shapes import HaloCurve
from engine.interaction_results import Interactions

_HEIGHT = 480  # pixels
_LEAST, _MOST = 1.45, 2.5  # radius of the picture in units of ε
_AXIS = 250.0
_TICKS = {-1.0: "−ε", -0.5: "−ε/2", 0.0: "0", 0.5: "ε/2", 1.0: "ε"}
_CROWDED = 1.8  # radius from which on there is no room for the halves

Chosen = tuple[tuple[int, int], tuple[int, int]]


def figure(
    found: Interactions,
    pair: int,
    rate: int = -1,
    *,
    rings: bool = True,
    chosen: Chosen | None = None,
) -> go.Figure:
    """Draw the halo of a pair; a click on the curve returns its place in the ``HaloCurve``.

    Args:
        found: the interactions.
        pair: its place in ``found.pairs``.
        rate: place of the budget in ``found.epsilons``.
        rings: the halos of the smaller budgets too.
        chosen: steps and signs of a model to ring, or None.
    """
    curve = found.halo(pair, rate)
    known = reached(found, pair, curve.steps, curve.signs, rate)
    reach = reach_of(curve)
    shape = halo_shape.shape_of(curve, known, reach)
    drawn = go.Figure()
    if known.all():
        drawn.add_trace(_filled(shape.core, faded(BAR_CHOSEN, 0.10)))
    for line, colour, name in (
        (shape.more, MORE, "together costs more: leaves the set"),
        (shape.less, LESS, "together costs less: stays in it"),
    ):
        drawn.add_trace(_filled(line, faded(colour, 0.42), name))
    alone = f"the sum of both alone: ε = {saying.number(curve.expected, 2)}"
    drawn.add_trace(_line(halo_shape.circle(curve.expected), BAR_OTHER, 1.6, "dash", alone))
    if rings:
        drawn.add_traces(_rings(found, pair, rate, reach))
    drawn.add_trace(_line(shape.known, BAR_CHOSEN, 2.2))
    if not known.all():
        drawn.add_trace(_line(shape.unknown, BAR_OTHER, 2.2, "dot"))
    drawn.add_traces(halo_points.points(found, pair, curve, known, reach))
    place = place_of_model(found, pair, rate, chosen)
    if place is not None and max(map(abs, place)) <= reach:
        drawn.add_traces(picking.rings([place[0]], [place[1]], 15))
    _axes(drawn, found, pair, curve.expected, reach)
    return drawn


def reach_of(curve: HaloCurve) -> float:
    """Return the radius of the picture: the circle stays readable, what is farther is cut."""
    farthest = float(np.max(curve.radius, initial=0.0)) * 1.12
    return float(np.clip(farthest, _LEAST * curve.expected, _MOST * curve.expected))


def cut(curve: HaloCurve) -> int:
    """Return how many points of a curve lie farther out than the picture shows."""
    return int((np.isfinite(curve.radius) & (curve.radius > reach_of(curve))).sum())


def place_of_model(
    found: Interactions, pair: int, rate: int, chosen: Chosen | None
) -> tuple[float, float] | None:
    """Return where a model lies: on the curve if it spends all of ε, else by its own loss."""
    if chosen is None:
        return None
    curve = found.halo(pair, rate)
    own = (curve.steps == chosen[0]).all(axis=1) & (curve.signs == chosen[1]).all(axis=1)
    if own.any():
        at, most = int(own.argmax()), reach_of(curve)
        return _at(float(curve.angle[at]), min(float(curve.radius[at]), most))
    own = (found.steps == chosen[0]).all(axis=1) & (found.signs == chosen[1]).all(axis=1)
    if not own.any():
        return None
    across, up = (int(step * sign) for step, sign in zip(*chosen, strict=True))
    above = float(found.loss[pair, int(own.argmax())]) - found.base_loss
    return _at(float(np.arctan2(up, across)), above)


def _at(angle: float, radius: float) -> tuple[float, float]:
    return max(radius, 0.0) * float(np.cos(angle)), max(radius, 0.0) * float(np.sin(angle))


def _rings(found: Interactions, pair: int, rate: int, reach: float) -> list[go.Scatter]:
    """Return the halos of the smaller budgets, thin."""
    place = range(len(found.epsilons))[rate]
    lines = []
    for smaller in range(place):
        curve = found.halo(pair, smaller)
        spent = reached(found, pair, curve.steps, curve.signs, smaller)
        line = halo_shape.shape_of(curve, spent, reach).known
        lines.append(_line(line, faded(BAR_CHOSEN, 0.55), 1.0))
    if lines:
        lines[0].update(name="smaller ε", showlegend=True)
    return lines


def _line(
    line: np.ndarray, colour: str, width: float, dash: str = "solid", name: str = ""
) -> go.Scatter:
    return go.Scatter(
        x=_small(line[:, 0]), y=_small(line[:, 1]), mode="lines", hoverinfo="skip", name=name,
        line={"color": colour, "width": width, "dash": dash}, showlegend=bool(name),
    )  # fmt: skip


def _filled(line: np.ndarray, colour: str, name: str = "") -> go.Scatter:
    return go.Scatter(
        x=_small(line[:, 0]), y=_small(line[:, 1]), mode="lines", hoverinfo="skip", name=name,
        line={"width": 0}, fill="toself", fillcolor=colour, showlegend=bool(name),
    )  # fmt: skip


def _small(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float32)


def _axes(drawn: go.Figure, found: Interactions, pair: int, expected: float, reach: float) -> None:
    across, up = (found.titles[i] for i in found.pairs[pair])
    frames.finished(drawn, _HEIGHT)
    ticks = [part * expected for part in _TICKS]
    same = {
        "range": [-reach, reach],
        "tickvals": ticks,
        "ticktext": [
            told if part in (-1, 0, 1) or reach <= _CROWDED * expected else ""
            for part, told in _TICKS.items()
        ],
        "tickfont": {"size": 12},
        "fixedrange": True,
        "showgrid": True,
        "zeroline": True,
        "zerolinewidth": 1,
        "constrain": "domain",
    }
    for update, title, more in (
        (drawn.update_xaxes, across, {"tickangle": 0, "automargin": True}),
        (drawn.update_yaxes, up, {"scaleanchor": "x"}),
    ):
        told = f"← down · {fitting.fitted(f'm of {title}', _AXIS, 13)} · up →"
        update(
            title={"text": saying.drawn(told), "font": {"size": 13}, "standoff": 8}, **same, **more
        )
    drawn.update_layout(
        showlegend=True,
        hovermode="closest",
        legend={
            "orientation": "h", "x": 0, "xanchor": "left", "y": 1.01, "yanchor": "bottom",
            "font": {"size": 12}, "itemclick": False, "itemdoubleclick": False,
        },
    )  # fmt: skip


def alt(found: Interactions, pair: int, rate: int = -1) -> str:
    """Describe the picture for those who cannot see it."""
    curve = found.halo(pair, rate)
    known = reached(found, pair, curve.steps, curve.signs, rate)
    outside, inside = (int((known & which).sum()) for which in (~curve.inside, curve.inside))
    low, high = (saying.number(float(end), 2) for end in (curve.radius.min(), curve.radius.max()))
    return (
        f"Halo of {pair_named(found, pair)} at ε = {saying.number(curve.expected)}: of "
        f"{saying.counted(len(known), 'model')} {outside} lie outside the circle and {inside} "
        f"within or on it; the loss rises by {low} to {high}."
    )


def example() -> go.Figure:
    """Two made-up features that are worth more together."""
    return figure(interaction_made_up.interactions(), 0, chosen=((3, 7), (1, -1)))
