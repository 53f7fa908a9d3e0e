"""How far explanations move when a network is made smaller."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from components import frames, picking, saying, spreading
from components.tokens import BAR_CHOSEN, BAR_OTHER, KINDS

SHARE = 0.1  # of the map's cells: its top, unless it is said
TITLES = ("rank correlation", "top overlap")
_HEIGHT = 230
_FATES = ("in neither top", "before only", "in both", "after only")
_COLOURS = ("rgba(154,160,174,0.18)", KINDS[4], KINDS[2], KINDS[1])
_KEY = 26


def figure(
    correlation: np.ndarray,
    overlap: np.ndarray,
    names: Sequence[str],
    *,
    chosen: int | None = None,
    chance: float | None = SHARE,
) -> go.Figure:
    """Draw two rows of dots, one dot for each picture; a click returns the picture's place.

    Args:
        correlation: of the ranks of cells before and after, ``(n,)``, −1 … 1.
        overlap: of the cells at the top before and after, ``(n,)``, 0 … 1.
        names: of the pictures.
        chosen: the picture that is looked at, ringed; or None.
        chance: the overlap that two maps have by chance: the share of cells that is the top.
    """
    both = np.stack([correlation, overlap], axis=-1).astype(np.float64)
    there = np.flatnonzero(np.isfinite(both).all(axis=-1))
    heights = _spread(both[there])
    drawn = go.Figure()
    for row in range(2):
        drawn.add_trace(_dots(both[there, row], heights[:, row], there, names, both))
        drawn.add_trace(_median(both[there, row], row))
    if chosen is not None and chosen in there:
        at = int(np.flatnonzero(there == chosen)[0])
        drawn.add_traces(picking.rings(both[chosen].tolist(), heights[at].tolist(), 15))
    frames.finished(drawn, _HEIGHT)
    if chance is not None:
        frames.line_at(drawn, chance, BAR_OTHER, "dash", (0.6, 1.45))
        drawn.add_annotation(
            x=chance, y=1.45, text="chance", showarrow=False, yanchor="top", font={"size": 11}
        )
    frames.line_at(drawn, 0, BAR_OTHER, "dash", (-0.4, 0.45))
    low = -1 if np.nanmin(both, initial=0.0) < -0.2 else -0.25
    drawn.update_xaxes(
        range=[low - 0.02, 1.04], fixedrange=True, showgrid=True, zeroline=False, nticks=7,
        title=frames.axis_title("1: nothing moved"),
    )  # fmt: skip
    drawn.update_yaxes(
        tickvals=[0, 1], ticktext=["rank<br>correlation", "top<br>overlap"], range=[1.55, -0.5],
        tickfont={"size": 12},
    )  # fmt: skip
    drawn.update_layout(hovermode="closest")
    return drawn


def alt(correlation: np.ndarray, overlap: np.ndarray) -> str:
    """Describe the dots for those who cannot see them."""
    told = [
        f"{name} {saying.number(float(np.nanmedian(v)), 2)} "
        f"({saying.number(float(np.nanmin(v)), 2)} to {saying.number(float(np.nanmax(v)), 2)})"
        for name, v in zip(TITLES, (correlation, overlap), strict=True)
        if np.isfinite(v).any()
    ]
    return f"Drift of {saying.counted(len(correlation), 'explanation')}, medians and ends: " + (
        f"{'; '.join(told)}." if told else "nothing to compare."
    )


def _spread(values: np.ndarray) -> np.ndarray:
    return spreading.heights(values) if len(values) else values


def _dots(
    x: np.ndarray, y: np.ndarray, places: np.ndarray, names: Sequence[str], both: np.ndarray
) -> go.Scatter:
    texts = [
        f"{names[place]}: rank correlation {saying.number(both[place, 0], 2)}, "
        f"top overlap {saying.share(both[place, 1])}"
        for place in places
    ]
    return go.Scatter(
        x=np.round(x, 4).tolist(),
        y=np.round(y, 3).tolist(),
        mode="markers",
        marker={"size": 7, "color": BAR_CHOSEN, "opacity": 0.7, "line": {"width": 0}},
        customdata=[[int(place)] for place in places],
        text=[saying.drawn(text) for text in texts],
        hovertemplate="%{text}<extra></extra>",
        selected={"marker": {"opacity": 0.7}},
        unselected={"marker": {"opacity": 0.7}},
    )


def _median(x: np.ndarray, row: int) -> go.Scatter:
    at = [] if not len(x) else [round(float(np.median(x)), 4)] * 2
    return go.Scatter(
        x=at, y=[row - 0.42, row + 0.42][: len(at)], mode="lines",
        line={"color": KINDS[1], "width": 2.4}, hoverinfo="skip",
    )  # fmt: skip


def fates(before: np.ndarray, after: np.ndarray, share: float = SHARE) -> np.ndarray:
    """Return what became of each cell, int ``(rows, columns)``.

    Args:
        before, after: maps of one shape, ``(rows, columns)``.
        share: of the cells that is the top, 0 … 1; at least one cell.

    Returns:
        0 where a cell is in neither top, 1 before only, 2 in both, 3 after only.
    """
    old, new = (_top(values, share) for values in (before, after))
    return np.where(old & new, 2, np.where(old, 1, np.where(new, 3, 0)))


def _top(values: np.ndarray, share: float) -> np.ndarray:
    count = max(1, round(share * values.size))
    found = np.zeros(values.size, dtype=bool)
    found[np.argsort(-values.ravel(), kind="stable")[:count]] = True
    return found.reshape(values.shape)


def overlap_figure(before: np.ndarray, after: np.ndarray, share: float = SHARE) -> go.Figure:
    """Draw which cells of one picture's map are at the top before, after, or both times.

    Args:
        before, after: maps of one shape, ``(rows, columns)``.
        share: of the cells that is the top.
    """
    fate = fates(before, after, share)
    rows, columns = fate.shape
    scale = [[end, colour] for i, colour in enumerate(_COLOURS) for end in (i / 4, (i + 1) / 4)]
    drawn = go.Figure(
        go.Heatmap(
            z=fate.astype(np.uint8), zmin=-0.5, zmax=3.5, colorscale=scale, showscale=False,
            hoverinfo="skip",
        )
    )  # fmt: skip
    for place in (1, 2, 3):
        count = int((fate == place).sum())
        drawn.add_scatter(
            x=[None], y=[None], mode="markers", name=f"{_FATES[place]} ({count})",
            marker={"symbol": "square", "size": 11, "color": _COLOURS[place]},
        )  # fmt: skip
    frames.finished(drawn, 330)
    picking.on_grid(drawn, columns, rows)
    drawn.update_xaxes(visible=False, constrain="domain")
    drawn.update_yaxes(visible=False, scaleanchor="x", constrain="domain")
    frames.legend_above(drawn)
    return drawn


def overlap_alt(before: np.ndarray, after: np.ndarray, share: float = SHARE) -> str:
    """Describe the picture for those who cannot see it."""
    fate = fates(before, after, share)
    one, both, other = ((fate == place).sum() for place in (1, 2, 3))
    return (
        f"Cells at the top of the map: {saying.counted(int(both), 'cell')} before and after, "
        f"{int(one)} before only, {int(other)} after only."
    )


def example() -> go.Figure:
    """Made-up drift of 60 explanations."""
    draw = np.random.default_rng(0)
    moved = draw.beta(4, 3, 60)
    names = [f"picture {place + 1}" for place in range(60)]
    return figure(
        1.3 * moved - 0.3, np.clip(moved + draw.normal(0, 0.1, 60), 0, 1), names, chosen=7
    )


def example_overlap() -> go.Figure:
    """A made-up map whose peak has moved."""
    y, x = np.mgrid[-1:1:14j, -1:1:14j]
    before, after = (np.exp(-3 * ((x - shift) ** 2 + (y + shift) ** 2)) for shift in (0.1, 0.3))
    return overlap_figure(before, after, 0.15)
