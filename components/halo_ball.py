"""Three features that share what the loss may rise by, as a ball that turns."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from components import fitting, frames, interaction_made_up, saying
from components.interaction_names import LESS, MORE, crossed
from components.tokens import BAR_OTHER, DIVERGING, VALUES, plotly_scale
from engine.halo_shapes import STEPS, outside
from engine.interaction_results import Ball

_HEIGHT = 540  # pixels
_RINGS, _ROUND = 7, 49
_CAMERA = {"eye": {"x": 1.6, "y": 1.6, "z": 1.05}, "center": {"x": 0, "y": 0, "z": -0.14}}


def figure(ball: Ball) -> go.Figure:
    """Draw the loss of each model as its distance from the centre.

    Args:
        ball: three features, drawn as a surface; or four, drawn as dots whose colour is the
            fourth feature's share of ε.

    A click on a dot returns the model's place.
    """
    drawn = go.Figure()
    if ball.fourth is None:
        drawn.add_trace(_surface(ball))
    drawn.add_trace(_sphere(ball.epsilon))
    drawn.add_trace(_dots(ball))
    frames.finished(drawn, _HEIGHT)
    _scene(drawn, ball)
    return drawn


def faces(signed: np.ndarray) -> np.ndarray:
    """Return triangles between neighbours on the ball, int64 ``(faces, 3)``.

    Args:
        signed: steps with their signs, ``(models, 3)``, sizes adding up to 10.
    """
    at = {tuple(int(v) for v in one): place for place, one in enumerate(signed)}
    found = []
    for octant in np.array(np.meshgrid([1, -1], [1, -1], [1, -1])).reshape(3, -1).T:
        for a in range(STEPS):
            for b in range(STEPS - a):
                c = STEPS - 1 - a - b
                base = np.array([a, b, c])
                found.append([at[tuple((base + e) * octant)] for e in np.eye(3, dtype=int)])
                if c:
                    base = np.array([a + 1, b + 1, c])
                    corners = (base - e for e in np.eye(3, dtype=int))
                    found.append([at[tuple(corner * octant)] for corner in corners])
    return np.array(found)


def _surface(ball: Ball) -> go.Mesh3d:
    points = ball.points()
    there = np.isfinite(points).all(axis=1)
    every = faces(ball.steps[:, :3] * ball.signs[:, :3])
    i, j, k = every[there[every].all(axis=1)].T.astype(np.int32)
    apart = (ball.loss - ball.base_loss - ball.epsilon) / (ball.epsilon or 1.0)
    apart = np.where(there, apart, np.nan)
    most = float(np.nanmax(np.abs(apart), initial=0.0)) or 1.0
    return go.Mesh3d(
        **_coordinates(points), i=i, j=j, k=k, intensity=apart.astype(np.float32), cmin=-most,
        cmax=most, colorscale=plotly_scale(DIVERGING), showscale=False, opacity=0.72,
        hoverinfo="skip", flatshading=False,
    )  # fmt: skip


def _dots(ball: Ball) -> go.Scatter3d:
    points, share = ball.points(), ball.fourth
    there = np.isfinite(points).all(axis=1)
    marker: dict[str, Any] = {"size": 2, "color": BAR_OTHER}
    if share is not None:
        marker = {
            "size": 4, "color": share[there].astype(np.float32), "cmin": -1, "cmax": 1,
            "colorscale": plotly_scale(VALUES), "showscale": True,
            "colorbar": {
                "len": 0.5, "thickness": 8, "outlinewidth": 0, "tickvals": [-1, 0, 1],
                "ticktext": ["all down", "none", "all up"], "tickfont": {"size": 12},
            },
        }  # fmt: skip
    return go.Scatter3d(
        **_coordinates(points[there]),
        mode="markers",
        marker=marker,
        customdata=np.flatnonzero(there).astype(np.int16),
        text=[_told(ball, int(at)) for at in np.flatnonzero(there)],
        meta=_names(ball),
        hovertemplate="%{meta}<br>%{text}<extra></extra>",
    )


def _names(ball: Ball) -> str:
    """Say what the numbers of a dot are, once for all of them."""
    told = f"m of {saying.joined([saying.inside(ball.titles[i]) for i in ball.features])}"
    return "<br>".join(saying.drawn(line) for line in fitting.wrapped(told, 280, 13))


def _told(ball: Ball, at: int) -> str:
    """Say which model a dot is, in few letters: there are up to thousands."""
    masks = ", ".join(saying.number(float(m)) for m in ball.masks[at])
    above = float(ball.loss[at]) - ball.base_loss
    return f"{masks}<br>{saying.number(above, 2)} above; alone {saying.number(ball.epsilon, 2)}"


def _sphere(radius: float) -> go.Scatter3d:
    """Return the ball without interaction as thin rings."""
    turn = np.linspace(0, 2 * np.pi, _ROUND)
    gap = np.full((1, 3), np.nan)
    lines = []
    for part in np.arange(1, _RINGS) * np.pi / _RINGS:
        wide, high = np.sin(part), np.full(_ROUND, np.cos(part))
        lines += [np.column_stack([wide * np.cos(turn), wide * np.sin(turn), high]), gap]
    for part in np.arange(_RINGS - 1) * np.pi / (_RINGS - 1):
        across, up = np.sin(turn), np.cos(turn)
        lines += [np.column_stack([across * np.cos(part), across * np.sin(part), up]), gap]
    return go.Scatter3d(
        **_coordinates(radius * np.concatenate(lines)), mode="lines", hoverinfo="skip",
        line={"color": BAR_OTHER, "width": 1.5}, opacity=0.6,
    )  # fmt: skip


def _coordinates(points: np.ndarray) -> dict[str, np.ndarray]:
    return dict(zip("xyz", points.T.astype(np.float32), strict=True))


def _scene(drawn: go.Figure, ball: Ball) -> None:
    ticks = [-ball.epsilon, 0.0, ball.epsilon]
    axes = {}
    for name, feature in zip("xyz", ball.features, strict=False):
        told = fitting.fitted(f"m of {ball.titles[feature]}", 130)
        axes[f"{name}axis"] = {
            "title": {"text": saying.drawn(f"{told} up →"), "font": {"size": 12}},
            "tickvals": ticks,
            "ticktext": [saying.number(tick, 2) for tick in ticks],
            "showbackground": False,
            "showspikes": False,
            "gridcolor": BAR_OTHER,
        }
    wire = "wire: the sum of each alone"
    told = f"{_square(MORE)} together costs more &nbsp; {_square(LESS)} less<br>{wire}"
    if ball.fourth is not None:
        told = f"{wire}<br>colour: what {saying.drawn(_fourth(ball))} spends of ε, up or down"
    drawn.add_annotation(
        x=0, y=1, xref="paper", yref="paper", xanchor="left", yanchor="top", text=told,
        showarrow=False, font={"size": 12}, align="left",
    )  # fmt: skip
    drawn.update_layout(
        scene={**axes, "aspectmode": "data", "camera": _CAMERA},
        dragmode="turntable",
        paper_bgcolor="rgba(0,0,0,0)",
    )


def _square(colour: str) -> str:
    return f'<span style="color:{colour}">■</span>'


def _fourth(ball: Ball) -> str:
    return fitting.fitted(f"m of {ball.titles[ball.features[3]]}", 150)


def alt(ball: Ball) -> str:
    """Describe the picture for those who cannot see it."""
    above = ball.loss - ball.base_loss
    names = crossed([ball.titles[i] for i in ball.features])
    far = int(outside(above, ball.epsilon).sum())
    return (
        f"Ball of {names} at ε = {saying.number(ball.epsilon)}: {far} of "
        f"{saying.counted(len(above), 'model')} lie outside the sphere; the loss rises by "
        f"{saying.number(float(above.min()), 2)} to {saying.number(float(above.max()), 2)}."
    )


def example() -> go.Figure:
    """Three made-up features."""
    return figure(interaction_made_up.ball())
