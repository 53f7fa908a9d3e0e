"""The points of a halo, each a model: by sign and colour outside the circle, inside, or neither."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import fitting, saying
from components.interaction_names import LESS, MORE, budget_told, masks_told
from components.tokens import BAR_OTHER
from engine.halo_shapes import HaloCurve
from engine.interaction_results import Interactions

_NAMES = {"circle-open": "a budget cannot be spent", "star-triangle-up": "farther out, cut"}
_NEXT = 1e-9  # of ε: what is nearer to the circle is on it


def points(
    found: Interactions, pair: int, curve: HaloCurve, known: np.ndarray, reach: float
) -> list[go.Scatter]:
    """Return the curve's points: outside, inside, and those whose budget was not spent.

    Args:
        found: the interactions.
        pair: its place in ``found.pairs``.
        curve: its halo.
        known: of each point, whether its budget was spent, bool ``(36,)``.
        reach: radius of the picture; what is farther is drawn at its edge.
    """
    radius = np.clip(curve.radius, 0, reach)
    x, y = radius * np.cos(curve.angle), radius * np.sin(curve.angle)
    texts = [point_told(found, pair, curve, at, bool(known[at])) for at in range(len(x))]
    far, out = curve.radius > reach, ~curve.inside
    kinds = (
        (known & out & ~far, {"symbol": "diamond", "color": MORE, "size": 8}),
        (far, {"symbol": "star-triangle-up", "color": MORE, "size": 11}),
        (known & ~out, {"symbol": "circle", "color": LESS, "size": 7}),
        (~known & ~far, {"symbol": "circle-open", "color": BAR_OTHER, "size": 7}),
    )
    return [
        go.Scatter(
            x=x[which].astype(np.float32),
            y=y[which].astype(np.float32),
            mode="markers",
            marker={"line": {"width": 1.6 if "open" in str(marker["symbol"]) else 0}, **marker},
            customdata=np.flatnonzero(which).astype(np.int16),
            text=[texts[at] for at in np.flatnonzero(which)],
            hovertemplate="%{text}<extra></extra>",
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
            name=_NAMES.get(str(marker["symbol"]), ""),
            showlegend=marker["symbol"] in _NAMES,
        )
        for which, marker in kinds
        if which.any()
    ]


def point_told(found: Interactions, pair: int, curve: HaloCurve, at: int, known: bool) -> str:
    """Say a point of the curve: its masks, what they spend, its loss."""
    titles = [found.titles[i] for i in found.pairs[pair]]
    above, loss = float(curve.radius[at]), found.base_loss + float(curve.radius[at])
    apart = above - curve.expected
    if not np.isfinite(above):
        how = "it returns what is not finite: out of the set"
    elif not known:
        how = "a budget could not be spent: the circle says nothing here"
    elif not curve.inside[at]:
        how = f"{saying.number(apart, 2)} more than the sum of both alone"
    elif apart < -_NEXT * curve.expected:
        how = f"{saying.number(-apart, 2)} less than the sum of both alone"
    else:
        how = "as much as the sum of both alone"
    lines = (
        masks_told(titles, curve.masks[at]),
        f"of ε: {budget_told(curve.steps[at], curve.signs[at])}",
        f"{found.manifest['display']['loss']} {saying.number(loss, 4)}, "
        f"{saying.number(above, 2)} above the reference:",
        how,
    )
    return "<br>".join(
        saying.drawn(part) for line in lines for part in fitting.wrapped(line, 280, 13)
    )
