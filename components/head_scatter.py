"""Two metrics of head importance against each other, by rank or by value."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import plotly.graph_objects as go

from components import fitting, frames, head_made_up, layer_key, picking, saying
from components.head_names import named
from components.tokens import VALUES, plotly_scale
from engine.head_results import HeadScores

_SIZE = 360


def both_of(first: HeadScores, second: HeadScores) -> np.ndarray:
    """Return layer and head of all that have both scores, int ``(heads, 2)``."""
    there = np.isfinite(first.values) & np.isfinite(second.values)
    return np.argwhere(there)


def ranks_of(scores: HeadScores, places: np.ndarray) -> np.ndarray:
    """Return the rank of each head among those at some places, 1 the most important."""
    values = scores.values[places[:, 0], places[:, 1]]
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[np.argsort(-values, kind="stable")] = np.arange(1, len(values) + 1)
    return ranks


def figure(
    first: HeadScores,
    second: HeadScores,
    titles: tuple[str, str],
    chosen: tuple[int, int] | None = None,
    off: Collection[tuple[int, int]] = (),
    by_rank: bool = True,
) -> go.Figure:
    """Draw a dot for each head; a click returns its layer and head, counted from 0.

    Args:
        first, second: across and up; the most important at the right, and on top.
        titles: of the metrics.
        chosen: the head that is looked at, ringed; or None.
        off: heads that are switched off, drawn hollow.
        by_rank: ranks instead of values.
    """
    places = both_of(first, second)
    pairs = [(int(layer), int(head)) for layer, head in places]
    values = [s.values[places[:, 0], places[:, 1]].astype(float) for s in (first, second)]
    ranks = [ranks_of(scores, places) for scores in (first, second)]
    x, y = ranks if by_rank else values
    lines = zip(pairs, *values, *ranks, strict=True)
    texts = [
        "<br>".join(
            saying.drawn(line)
            for line in (
                named(*pair),
                f"{titles[0]}: {saying.number(a)} (rank {m})",
                f"{titles[1]}: {saying.number(b)} (rank {n})",
            )
        )
        for pair, a, b, m, n in lines
    ]
    drawn = go.Figure(
        go.Scatter(
            x=x.tolist(),
            y=y.tolist(),
            mode="markers",
            marker={
                "size": 9,
                "color": places[:, 0].tolist(),
                "coloraxis": "coloraxis",
                "symbol": ["circle-open" if pair in off else "circle" for pair in pairs],
                "line": {"width": [2 if pair in off else 0 for pair in pairs]},
            },
            customdata=[list(pair) for pair in pairs],
            text=texts,
            hovertemplate="%{text}<extra></extra>",
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
        )
    )
    if chosen in pairs:
        at = pairs.index(chosen)
        drawn.add_traces(picking.rings([x[at].item()], [y[at].item()], 16))
    frames.finished(drawn, _SIZE)
    _axes(drawn, titles, by_rank, len(pairs))
    layer_key.add(drawn, first.values.shape[0], plotly_scale(VALUES))
    return drawn


def _axes(drawn: go.Figure, titles: tuple[str, str], by_rank: bool, count: int) -> None:
    ends = [count + 1, 0]
    step = next(step for step in (5, 10, 25, 50, 10**6) if count / step <= 8)
    for update, title in ((drawn.update_xaxes, titles[0]), (drawn.update_yaxes, titles[1])):
        told = f"rank by {title}" if by_rank else title
        update(
            title={"text": saying.drawn(fitting.fitted(told, 260, 13)), "font": {"size": 13}},
            range=ends if by_rank else None,
            tickvals=[1, *range(step, count + 1, step)] if by_rank else None,
            fixedrange=True,
            showgrid=True,
            zeroline=False,
            ticks="",
        )
    drawn.update_layout(margin={"t": 28}, hovermode="closest")


def example() -> go.Figure:
    """Two made-up metrics that agree in part."""
    first, other = head_made_up.scores(), head_made_up.scores(1)
    mixed = HeadScores(other.manifest, first.values + 0.6 * other.values, other.error)
    return figure(first, mixed, ("drop in probability", "gradient"), (5, 3), {(0, 1)})
