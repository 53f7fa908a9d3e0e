"""What the pictures with one horizontal bar for each column have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from components import frames, saying
from components.facts import Facts
from components.tokens import BAR_OTHER, NEGATIVE, POSITIVE

ROW = 30  # pixels
_TEXT_SHARE = 0.24  # of a narrow picture's bars: what the number beside a bar takes
ERRORS = 2  # whiskers and bands reach two standard errors to each side


@dataclass(frozen=True, eq=False)
class Bars:
    """Horizontal bars, first on top.

    Attributes:
        labels: at the left.
        starts, lengths: float64 ``(bars,)``, in the axis's units; lengths signed.
        texts: numbers beside the bars.
        hovers: told when pointed at.
        colours: of the bars.
        errors: standard errors in the axis's units, or None.
        keys: places of the columns, for a click; -1 where a bar stands for none.
    """

    labels: Sequence[str]
    starts: np.ndarray
    lengths: np.ndarray
    texts: Sequence[str]
    hovers: Sequence[str]
    colours: Sequence[str]
    errors: np.ndarray | None = None
    keys: Sequence[int] = ()


def figure(bars: Bars, axis: str, first: float = -0.5, last: float = 0.5) -> go.Figure:
    """Draw bars with whiskers and numbers.

    Args:
        bars: what to draw.
        axis: title below; "" for none.
        first, last: rows of room before the first bar and after the last one.
    """
    places = np.arange(len(bars.labels))
    drawn = go.Figure(_bars(bars, places))
    drawn.add_trace(_texts(bars, places))
    drawn.update_xaxes(
        title=axis,
        range=_range(bars),
        fixedrange=True,
        nticks=6,
        tickangle=0,
        zeroline=False,
        showgrid=True,
    )
    drawn.update_yaxes(
        tickvals=places,
        ticktext=[saying.drawn(label) for label in bars.labels],
        range=[len(places) - 1 + last, first],
        tickfont={"size": 12},
    )
    rows = len(places) - 1 + last - first
    return frames.finished(drawn, round(rows * ROW) + 56)


def with_rest(
    bars: Bars, rest: np.ndarray, say: Callable[[float], str], thing: str = "column"
) -> Bars:
    """Add a row without a bar that tells how many are not shown, and how small they are."""
    if not len(rest):
        return bars
    told = saying.counted(len(rest), f"other {thing}")
    largest = f"each at most {say(float(rest.max()))}"
    return Bars(
        [*bars.labels, told],
        np.append(bars.starts, 0.0),
        np.append(bars.lengths, np.copysign(0.0, bars.lengths.sum())),
        [*bars.texts, largest],
        [*bars.hovers, f"{told}: {largest}"],
        [*bars.colours, BAR_OTHER],
        None if bars.errors is None else np.append(bars.errors, np.nan),
        [*bars.keys, -1],
    )


def shown_of(count: int, top: int) -> int:
    """Return how many bars to show: a rest of one is shown too."""
    return count if count <= top + 1 else top


def by_sign(values: Sequence[float] | np.ndarray) -> list[str]:
    """Return the colour of each value: for, or against."""
    return [POSITIVE if value >= 0 else NEGATIVE for value in values]


def hovers(names: Sequence[str], values: Sequence[float] | np.ndarray, told: Facts) -> list[str]:
    """Return what each bar says when pointed at: "Worst area = 880 mm²: +12 points"."""
    unit = " points" if told.kind == "probability" else ""
    pairs = zip(names, values, strict=True)
    return [f"{name}: {told.step(float(value))}{unit}" for name, value in pairs]


def _bars(bars: Bars, places: np.ndarray) -> go.Bar:
    whiskers: dict[str, Any] = {}
    if bars.errors is not None:
        reach = np.nan_to_num(ERRORS * bars.errors)
        whiskers["error_x"] = {
            "array": reach, "color": BAR_OTHER, "thickness": 1.8, "width": 3,
        }  # fmt: skip
    return go.Bar(
        x=bars.lengths,
        base=bars.starts,
        y=places,
        orientation="h",
        width=0.62,
        marker={"color": list(bars.colours), "cornerradius": 3, "line": {"width": 0}},
        customdata=list(bars.keys) or places,
        hovertext=[saying.drawn(told) for told in bars.hovers],
        hovertemplate="%{hovertext}<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        **whiskers,
    )


def _texts(bars: Bars, places: np.ndarray) -> go.Scatter:
    """Numbers beside the bars, beyond the whiskers, on the side that a bar points to."""
    right = _rightward(bars)
    return go.Scatter(
        x=_tips(bars),
        y=places,
        mode="text",
        text=[f" {told} " for told in bars.texts],
        textposition=["middle right" if r else "middle left" for r in right],
        textfont={"size": 12},
        cliponaxis=False,
        hoverinfo="skip",
    )


def _rightward(bars: Bars) -> np.ndarray:
    """Whether bars point to the right; of one without length, −0.0 points to the left."""
    return ~np.signbit(bars.lengths)


def _tips(bars: Bars) -> np.ndarray:
    reach = 0.0 if bars.errors is None else ERRORS * np.nan_to_num(bars.errors)
    ends = bars.starts + bars.lengths
    return np.asarray(ends + np.where(_rightward(bars), reach, -reach))


def _range(bars: Bars) -> list[float]:
    """Leave room for the numbers on the sides where there are any."""
    if not len(bars.labels):
        return [0.0, 1.0]
    tips, right = _tips(bars), _rightward(bars)
    ends = np.concatenate([bars.starts, bars.starts + bars.lengths, tips])
    low, high = float(ends.min()), float(ends.max())
    room = _TEXT_SHARE * ((high - low) or 1.0)
    edge = 0.0 if not bars.starts.any() else 0.015 * ((high - low) or 1.0)
    high = max(high, float((tips[right] + room).max(initial=high)))
    low = min(low, float((tips[~right] - room).min(initial=low)))
    return [low - edge, high + edge]
