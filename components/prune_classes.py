"""Which classes pay for what went: right answers before and after, class by class."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import fitting, frames, prune_made_up, saying
from components.prune_names import interval, points, value_title
from components.tokens import BAR_OTHER, NEGATIVE, POSITIVE
from engine.prune_results import PruneSweep
from engine.scores import Share, Shares

TOP = 20
_ROW = 27  # pixels
_LABEL, _RIGHT, _ABOVE, _BELOW = 118.0, 46, 26, 40


def order(found: PruneSweep, way: int, ratio: int) -> np.ndarray:
    """Return the places of classes that have pictures, those that lose most first."""
    change = found.class_changes(way, ratio)
    return np.argsort(change.value, kind="stable")[: int((change.count > 0).sum())]


def figure(found: PruneSweep, way: int, ratio: int, *, top: int = TOP) -> go.Figure:
    """Draw two dots for each class, before and after, those that lose most on top.

    Args:
        found: the sweep.
        way, ratio: places of what is looked at.
        top: how many classes are shown at most.
    """
    classes = order(found, way, ratio)
    shown = classes[: top if len(classes) > top + 1 else len(classes)]
    before, after = found.dense_per_class(), found.per_class(way, ratio)
    change = found.class_changes(way, ratio)
    colours = [_colour(change, place) for place in shown]
    texts = [_said(found, place, before, after, change) for place in shown]
    drawn = go.Figure()
    drawn.add_traces(_lines(shown, before, after, colours))
    drawn.add_trace(_dots(before, shown, "untouched", [BAR_OTHER] * len(shown), texts))
    drawn.add_trace(_dots(after, shown, "smaller", colours, texts))
    drawn.add_trace(_numbers(change, shown))
    names = [saying.drawn(fitting.fitted(found.classes[place], _LABEL)) for place in shown]
    frames.finished(drawn, _ROW * len(shown) + _ABOVE + _BELOW)
    left = len(classes) - len(shown)
    title = f"{value_title(found, 'accuracy')} (%)"
    title += (
        f"<br>{saying.counted(left, 'other class').replace('classs', 'classes')} lose less"
        * bool(left)
    )
    drawn.update_xaxes(
        title=frames.axis_title(title), range=[-2, 104], fixedrange=True, showgrid=True,
        zeroline=False, nticks=6, tickangle=0,
    )  # fmt: skip
    drawn.update_yaxes(
        tickvals=list(range(len(shown))), ticktext=names, range=[len(shown) - 0.4, -0.6],
        tickfont={"size": 12},
    )  # fmt: skip
    frames.legend_above(drawn)
    drawn.update_layout(margin={"r": _RIGHT})
    return drawn


def alt(found: PruneSweep, way: int, ratio: int) -> str:
    """Describe the picture for those who cannot see it: who loses most and least."""
    classes = order(found, way, ratio)
    begin = "Right answers of each class before and after"
    if not len(classes):
        return f"{begin}: no class has pictures."
    change = found.class_changes(way, ratio)
    ends = [
        f"{found.classes[place]} {points(share_at(change, place))}"
        for place in dict.fromkeys((int(classes[0]), int(classes[-1])))
    ]
    return f"{begin}, sorted by change: from {' to '.join(ends)}."


def sure(change: Shares) -> np.ndarray:
    """Return −1, 0 or 1 for each class: whether it changed beyond doubt, int ``(classes,)``."""
    return np.asarray(np.where(change.low > 0, 1, np.where(change.high < 0, -1, 0)))


def share_at(shares: Shares, place: int) -> Share:
    """Return the share of one class."""
    return Share(
        float(shares.value[place]),
        float(shares.low[place]),
        float(shares.high[place]),
        int(shares.count[place]),
    )


def _colour(change: Shares, place: int) -> str:
    """Say beyond doubt up or down; else it is grey."""
    return {1: POSITIVE, -1: NEGATIVE, 0: BAR_OTHER}[int(sure(change)[place])]


def _said(found: PruneSweep, place: int, before: Shares, after: Shares, change: Shares) -> str:
    one, other = (
        f"{saying.share(s.value)} ({interval(s.low, s.high)})"
        for s in (share_at(before, place), share_at(after, place))
    )
    count = saying.counted(int(change.count[place]), "picture")
    return saying.drawn(
        f"{found.classes[place]}: {one} to {other}, {points(share_at(change, place))}, {count}"
    )


def _lines(
    shown: np.ndarray, before: Shares, after: Shares, colours: list[str]
) -> list[go.Scatter]:
    """Connect the dots, and draw how sure the second one is; a trace for each colour."""
    found = []
    for colour in dict.fromkeys(colours):
        own = [(row, int(k)) for row, k in enumerate(shown) if colours[row] == colour]
        for low, high, wide, opacity in (
            (before.value, after.value, 7.0, 0.3),
            (after.low, after.high, 1.6, 1.0),
        ):
            x = [end for _, k in own for end in (100 * low[k], 100 * high[k], None)]
            y = [end for row, _ in own for end in (row, row, None)]
            found.append(
                go.Scatter(
                    x=[v if v is None else round(float(v), 2) for v in x], y=y, mode="lines",
                    line={"color": colour, "width": wide}, opacity=opacity,
                    hoverinfo="skip", showlegend=False,
                )
            )  # fmt: skip
    return found


def _dots(
    shares: Shares, shown: np.ndarray, name: str, colours: list[str], texts: list[str]
) -> go.Scatter:
    hollow = name == "untouched"
    return go.Scatter(
        x=np.round(100 * shares.value[shown], 2).tolist(),
        y=list(range(len(shown))),
        mode="markers",
        name=name,
        marker={
            "size": 11 if hollow else 10,
            "color": colours,
            "symbol": "circle-open" if hollow else "circle",
            "line": {"width": 2 if hollow else 0, "color": colours},
        },
        text=texts,
        hovertemplate="%{text}<extra></extra>",
    )


def _numbers(change: Shares, shown: np.ndarray) -> go.Scatter:
    return go.Scatter(
        x=[104] * len(shown),
        y=list(range(len(shown))),
        mode="text",
        text=[f" {saying.signed(round(100 * v))}" for v in change.value[shown]],
        textposition="middle right",
        textfont={"size": 12},
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
    )


def example() -> go.Figure:
    """Eight made-up classes."""
    return figure(prune_made_up.sweep(), 5, 7)
