"""How strongly each pair interacts, and on what all good models agree; a click picks a pair."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from components import interaction_made_up, matrix, pair_marks, picking, saying
from components.interaction_names import crossed, place_of, spread_told
from components.tokens import DIVERGING, SEQUENTIAL, plotly_scale
from engine.interaction_results import Interactions

Show = Literal["reference", "min", "median", "max", "agreement"]

TITLES: dict[str, str] = {
    "reference": "FIS of the reference",
    "min": "smallest FIS of a good model",
    "median": "median FIS of the good models",
    "max": "largest FIS of a good model",
    "agreement": "share of good models with the usual sign",
}
_SPREAD = ("min", "median", "max")
_CELL = 30
_PALE = 0.45
_NUMBERED = 8  # features up to which cells tell their number


def figure(
    found: Interactions,
    show: Show = "reference",
    epsilon: float | None = None,
    chosen: int | None = None,
) -> go.Figure:
    """Draw a cell for each pair.

    Args:
        found: the interactions.
        show: the reference's score, the smallest, median or largest one of the set, or the share
            of models whose score has the usual sign.
        epsilon: how far above L* a loss may be; by default what was asked for.
        chosen: place of the pair that is looked at, ringed; or None.

    A click returns the pair's place, or both features where it was not looked at closely.
    """
    values, close = cells_of(found, show, epsilon)
    unit = unit_of(values, show)
    drawn = go.Figure()
    drawn.add_trace(_heat(np.where(close, values, np.nan), 1.0))
    drawn.add_trace(_heat(np.where(close, np.nan, values), _PALE))
    if len(values) <= _NUMBERED:
        told = [[_number(v, unit) for v in row] for row in np.where(close, values, np.nan)]
        drawn.data[0].update(text=told, texttemplate="%{text}", textfont={"size": 11})
    drawn.update_layout(coloraxis=_scale(show, values))
    far = np.argwhere(~close & ~np.eye(len(close), dtype=bool)).tolist()
    if far:
        drawn.add_trace(pair_marks.stripes(far))
    agree, differ = pair_marks.marked(found, epsilon)
    for pairs, symbol in ((agree, "circle"), (differ, "x")):
        if pairs:
            drawn.add_trace(pair_marks.corners(found, pairs, symbol))
    drawn.add_trace(_cells(found, values, show, epsilon))
    matrix.with_names(drawn, found.titles)
    pair_marks.tell(drawn, _title(found, show, unit), agree=agree, differ=differ, far=far)
    if chosen is not None:
        i, j = (int(v) for v in found.pairs[chosen])
        for x, y in ((i, j), (j, i)):
            picking.ring(drawn, x, y, 0.47)
    return drawn


def cells_of(
    found: Interactions, show: Show = "reference", epsilon: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the cells show, and whether it is of a pair looked at closely.

    Returns:
        float64 and bool ``(features, features)``; a pair that was not looked at closely has the
        reference's score, and no agreement.
    """
    values = found.strength.astype(np.float64).copy()
    if show == "agreement":
        values[:] = np.nan
    close = np.zeros(values.shape, dtype=bool)
    told = found.scores[:, 0]
    if show == "agreement":
        told = found.agreement(epsilon)
    elif show != "reference":
        told = found.spread(epsilon)[:, _SPREAD.index(show)]
    i, j = found.pairs.T
    for rows, columns in ((i, j), (j, i)):
        values[rows, columns] = told
        close[rows, columns] = True
    return (values if show == "agreement" else found.swept(values)), close


def _heat(values: np.ndarray, opacity: float) -> go.Heatmap:
    gap = 2 if len(values) <= matrix.MOST else 1
    return go.Heatmap(
        z=values.astype(np.float32),
        coloraxis="coloraxis",
        opacity=opacity,
        xgap=gap,
        ygap=gap,
        hoverinfo="skip",
        hoverongaps=False,
    )


def unit_of(values: np.ndarray, show: Show) -> float:
    """Return the unit of the numbers in the cells: 1, a thousandth …; of shares 0."""
    if show == "agreement":
        return 0.0
    most = float(np.nanmax(np.abs(values), initial=0.0))
    return 1.0 if most == 0 else 10.0 ** min(0, 3 * math.floor(math.log10(most) / 3))


def _number(value: float, unit: float) -> str:
    """Say a number in few letters: in units, with a digit behind the point below 10."""
    if np.isnan(value):
        return ""
    if not unit:
        return _floored(value)
    size = round(value / unit, 1 if abs(value) < 10 * unit else 0)
    return saying.signed(size, 4) if size else "0"


def _scale(show: Show, values: np.ndarray) -> dict[str, object]:
    """Return the colours and their key, below: around zero for scores, from 0 for shares."""
    bar = {
        "orientation": "h", "x": 0, "xanchor": "left", "xpad": 0, "y": 0, "yanchor": "top",
        "len": 0.88, "lenmode": "fraction", "thickness": 8, "outlinewidth": 0, "ypad": 12,
        "tickfont": {"size": 12}, "ticks": "",
    }  # fmt: skip
    if show == "agreement":
        ends = {"tickvals": [0, 0.5, 1], "ticktext": [saying.share(v) for v in (0, 0.5, 1)]}
        return {
            "cmin": 0, "cmax": 1, "colorscale": plotly_scale(SEQUENTIAL),
            "colorbar": {**bar, **ends},
        }  # fmt: skip
    most = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    ticks = [-most, 0.0, most]
    told = [saying.number(tick, 2) for tick in ticks]
    ends = {"tickvals": ticks, "ticktext": told}
    return {
        "cmin": -most, "cmax": most, "colorscale": plotly_scale(DIVERGING),
        "colorbar": {**bar, **ends},
    }  # fmt: skip


def _cells(
    found: Interactions, values: np.ndarray, show: Show, epsilon: float | None
) -> go.Scatter:
    spread, shares = found.swept(found.spread(epsilon)), found.agreement(epsilon)
    x, y, keys, texts = [], [], [], []
    for i, j in combinations(range(len(found.columns)), 2):
        pair = place_of(found, i, j)
        told = [saying.drawn(crossed([found.titles[i], found.titles[j]], 300, 13))]
        told.append(f"reference: {_score(found, i, j, pair)}")
        if pair is None:
            told.append("not looked at closely")
        else:
            told += [
                f"good models: {spread_told(spread[pair])}",
                f"{_floored(float(shares[pair]))} have the usual sign",
            ]
        for across, down in ((i, j), (j, i)):
            x.append(across)
            y.append(down)
            keys.append([i, j] if pair is None else [pair])
            texts.append("<br>".join(told))
    return picking.cells(x, y, keys, texts, _CELL if len(found.columns) <= matrix.MOST else 14)


def _score(found: Interactions, i: int, j: int, pair: int | None) -> str:
    value = found.strength[i, j] if pair is None else found.scores[pair, 0]
    error = found.strength_error[i, j] if pair is None else found.error[pair, 0, 3]
    give = f" ± {saying.number(float(error), 2)}" if error > 0 else ""
    return f"{saying.signed(float(found.swept(value)))}{give}"


def _floored(share: float) -> str:
    return f"{int(100 * share)} %"  # 100 % only if it is all


def _title(found: Interactions, show: Show, unit: float) -> str:
    numbered = len(found.columns) <= _NUMBERED and unit not in (0.0, 1.0)
    scale = f" (numbers × {saying.number(unit, 1).removeprefix('1 × ')})" if numbered else ""
    return f"{TITLES[show]}{scale}"


def alt(found: Interactions, show: Show = "reference", epsilon: float | None = None) -> str:
    """Describe the picture for those who cannot see it."""
    values, _ = cells_of(found, show, epsilon)
    return matrix.alt(values, found.titles, TITLES[show])


def example() -> go.Figure:
    """Five of fifteen made-up pairs were looked at closely."""
    pairs = [(0, 1), (0, 3), (1, 2), (2, 3), (0, 4)]
    return figure(interaction_made_up.interactions(pairs=pairs), "median", chosen=0)
