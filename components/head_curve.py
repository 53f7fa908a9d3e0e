"""How well a model does with ever more heads off, in three orders."""

from __future__ import annotations

from typing import Literal

import numpy as np
import plotly.graph_objects as go

from components import frames, head_made_up, saying
from components.head_heatmap import ERRORS
from components.tokens import ACCENT, BAR_CHOSEN, BAR_OTHER
from engine.head_results import PruningCurve

Followed = Literal["accuracy", "loss"]

_HEIGHT = 320
_COLOURS = (BAR_CHOSEN, ACCENT, BAR_OTHER)
_SYMBOLS = ("circle", "diamond", "square")
_ENOUGH = 0.02  # of the accuracy: what may be lost (our definition)


def figure(curve: PruningCurve, followed: Followed = "accuracy") -> go.Figure:
    """Draw a line for each order, within two standard errors.

    Args:
        curve: of a set of pictures.
        followed: "accuracy" (drawn as per cent) or "loss" (nats).
    """
    values, errors = _of(curve, followed)
    drawn, most = go.Figure(), 100.0 if followed == "accuracy" else np.inf
    for order, colour in enumerate(_COLOURS):
        drawn.add_trace(_band(curve.off, values[order], errors[order], colour, most))
    for order, (name, colour) in enumerate(zip(curve.orders, _COLOURS, strict=True)):
        drawn.add_scatter(
            x=curve.off.tolist(),
            y=_short(values[order]),
            mode="lines+markers",
            name=name,
            line={"color": colour, "width": 2.2},
            marker={"size": 7, "symbol": _SYMBOLS[order]},
            text=[
                saying.drawn(_told(off, value, error, name, followed))
                for off, value, error in zip(curve.off, values[order], errors[order], strict=True)
            ],
            hovertemplate="%{text}<extra></extra>",
        )
    frames.finished(drawn, _HEIGHT)
    title = "right answers (%)" if followed == "accuracy" else "cross-entropy (nats)"
    drawn.update_xaxes(
        title={"text": "heads off", "font": {"size": 13}}, fixedrange=True, showgrid=False,
        zeroline=False, nticks=8,
    )  # fmt: skip
    drawn.update_yaxes(
        title={"text": title, "font": {"size": 13}}, showgrid=True, rangemode="tozero", nticks=6
    )
    frames.legend_above(drawn)
    return drawn


def _of(curve: PruningCurve, followed: Followed) -> tuple[np.ndarray, np.ndarray]:
    """Return values and the reach of two standard errors, float64 ``(orders, steps)``."""
    if followed == "accuracy":
        return 100 * curve.accuracy.astype(float), ERRORS * 100 * curve.accuracy_error.astype(float)
    return curve.loss.astype(float), ERRORS * curve.loss_error.astype(float)


def _band(
    off: np.ndarray, values: np.ndarray, reach: np.ndarray, colour: str, most: float
) -> go.Scatter:
    there = np.isfinite(reach)
    x = off[there].tolist()
    low = _short((values - reach)[there].clip(min=0))
    high = _short((values + reach)[there].clip(max=most))
    return go.Scatter(
        x=x + x[::-1], y=high + low[::-1], fill="toself", fillcolor=colour, opacity=0.16,
        line={"width": 0}, mode="lines", hoverinfo="skip", showlegend=False,
    )  # fmt: skip


def _told(off: int, value: float, error: float, order: str, followed: Followed) -> str:
    unit = "%" if followed == "accuracy" else "nats"
    give = f" ± {saying.number(error, 2)}" if np.isfinite(error) else ""
    return f"{saying.counted(int(off), 'head')} off, {order}: {saying.number(value)}{give} {unit}"


def _short(values: np.ndarray) -> list[float]:
    return [round(float(value), 4) for value in values]


def sentence(curve: PruningCurve, followed: Followed = "accuracy") -> str:
    """Say how many heads can go, or what the loss is with half of them off."""
    heads = int(curve.off.max())
    if followed == "accuracy":
        least, most = (_can_go(curve, order) for order in (0, 1))
        whole = saying.share(float(curve.accuracy[0, 0]))
        return (
            f"With the least important first, {least or 'none'} of "
            f"{saying.counted(heads, 'head')} can go "
            f"before the right answers ({whole}) fall by more than {100 * _ENOUGH:.0f} points; "
            f"with the most important first, {most or 'none'}."
        )
    half = int(np.abs(curve.off - heads / 2).argmin())
    losses = [saying.number(float(loss)) for loss in curve.loss[:, half]]
    return (
        f"With {saying.counted(int(curve.off[half]), 'head')} off the loss goes from "
        f"{saying.number(float(curve.loss[0, 0]))} to {losses[0]} nats, the least important "
        f"first; to {losses[1]}, the most important first; to {losses[2]} at random."
    )


def _can_go(curve: PruningCurve, order: int) -> int:
    """Return how many heads are off at the last point before too much is lost."""
    lost = curve.accuracy[order] < curve.accuracy[order, 0] - _ENOUGH
    first = int(lost.argmax()) if lost.any() else len(lost)
    return int(curve.off[first - 1])


def example() -> go.Figure:
    """A made-up curve."""
    return figure(head_made_up.curve())
