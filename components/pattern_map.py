"""What heads have learned to look at: a dot for each head and picture, in clusters."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import frames, head_made_up, picking
from components.head_names import named
from components.tokens import KINDS
from engine.head_results import HeadPatterns

_HEIGHT = 400
_SYMBOLS = (
    "circle",
    "diamond",
    "square",
    "triangle-up",
    "cross",
    "x",
    "star",
    "hexagon",
    "pentagon",
)


def figure(patterns: HeadPatterns, chosen: tuple[int, int] | None = None) -> go.Figure:
    """Draw the points; a click returns layer, head and picture, counted from 0.

    Args:
        patterns: of all heads.
        chosen: the head whose points are ringed; or None.
    """
    drawn = go.Figure()
    for cluster, name in enumerate(patterns.names):
        drawn.add_trace(_dots(patterns, cluster, name))
    if chosen is not None:
        own = (patterns.layer == chosen[0]) & (patterns.head == chosen[1])
        at = patterns.at[own].astype(np.float64).round(4).tolist()
        drawn.add_traces(picking.rings([x for x, _ in at], [y for _, y in at], 12))
    frames.finished(drawn, _HEIGHT)
    bare = {
        "fixedrange": True, "showgrid": False, "zeroline": False, "showticklabels": False,
        "ticks": "", "title": None,
    }  # fmt: skip
    drawn.update_xaxes(**bare)
    drawn.update_yaxes(**bare, automargin=False)
    frames.legend_above(drawn)
    return drawn


def _dots(patterns: HeadPatterns, cluster: int, name: str) -> go.Scatter:
    here = patterns.cluster == cluster
    keys = np.stack([patterns.layer, patterns.head, patterns.image], axis=-1)[here].tolist()
    return go.Scatter(
        x=patterns.at[here, 0].astype(np.float32),
        y=patterns.at[here, 1].astype(np.float32),
        mode="markers",
        name=f"{name} ({len(keys)})",
        marker={
            "size": 7,
            "color": KINDS[cluster % len(KINDS)],
            "symbol": _SYMBOLS[cluster % len(_SYMBOLS)],
            "opacity": 0.85,
            "line": {"width": 0},
        },
        customdata=keys,
        text=[named(layer, head) for layer, head, _ in keys],
        meta=name,
        hovertemplate="%{text}: %{meta}<extra></extra>",
        selected={"marker": {"opacity": 0.85}},
        unselected={"marker": {"opacity": 0.85}},
    )


def example() -> go.Figure:
    """Made-up patterns, a head chosen."""
    return figure(head_made_up.patterns(), (3, 1))
