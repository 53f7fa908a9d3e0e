"""Which networks are alike on which benchmarks: a map, and the tree that spans it."""

from __future__ import annotations

import plotly.graph_objects as go

from components import frames, picking, prune_made_up, saying
from components.geometry_names import shape
from components.tokens import BAR_OTHER, KINDS
from engine.prune_results import Geometry

_HEIGHT = 400
_SIZE = 10


def figure(found: Geometry, chosen: tuple[int, int] | None = None) -> go.Figure:
    """Draw a mark for each network on each benchmark; a click returns both places.

    Colours are networks and shapes are benchmarks; near each other are those whose angles, norms
    and margins are alike.

    Args:
        found: the geometry.
        chosen: places of network and benchmark, ringed; or None.
    """
    drawn = go.Figure(_tree(found))
    for model, name in enumerate(found.models):
        drawn.add_trace(_marks(found, model, name))
    for mark, name in enumerate(found.benchmarks):  # a key only
        drawn.add_scatter(
            x=[None], y=[None], mode="markers", name=saying.drawn(name), legend="legend2",
            marker={"symbol": shape(mark), "size": 9, "color": BAR_OTHER},
        )  # fmt: skip
    if chosen is not None:
        x, y = found.places[chosen[0] * len(found.benchmarks) + chosen[1]].tolist()
        drawn.add_traces(picking.rings([x], [y], 22))
    frames.finished(drawn, _HEIGHT)
    bare = {
        "fixedrange": True, "showgrid": False, "zeroline": False, "showticklabels": False,
        "ticks": "", "title": None,
    }  # fmt: skip
    drawn.update_xaxes(**bare)
    drawn.update_yaxes(**bare, automargin=False)
    frames.legend_above(drawn)
    below = {**drawn.layout.legend.to_plotly_json(), "y": 0, "yanchor": "top"}
    drawn.update_layout(legend2=below)
    return drawn


def alt(found: Geometry) -> str:
    """Describe the map for those who cannot see it."""
    kind = found.manifest["display"]["map"]
    return (
        f"Map ({kind}) of {len(found.models)} networks on {len(found.benchmarks)} benchmarks, "
        f"with its minimum spanning tree of {saying.counted(len(found.tree), 'edge')}."
    )


def _tree(found: Geometry) -> go.Scatter:
    x: list[float | None] = []
    y: list[float | None] = []
    for one, other in found.tree.tolist():
        ends = found.places[[one, other]].astype(float).round(4)
        x += [*ends[:, 0].tolist(), None]
        y += [*ends[:, 1].tolist(), None]
    return go.Scatter(
        x=x, y=y, mode="lines", line={"color": BAR_OTHER, "width": 1.2}, opacity=0.7,
        hoverinfo="skip", showlegend=False, connectgaps=False,
    )  # fmt: skip


def _marks(found: Geometry, model: int, name: str) -> go.Scatter:
    count = len(found.benchmarks)
    own = found.places[model * count : (model + 1) * count].astype(float).round(4)
    right = found.right[model].mean(axis=-1)
    return go.Scatter(
        x=own[:, 0].tolist(),
        y=own[:, 1].tolist(),
        mode="markers",
        name=saying.drawn(name),
        marker={
            "size": _SIZE,
            "color": KINDS[model % len(KINDS)],
            "symbol": [shape(mark) for mark in range(count)],
            "line": {"width": 0},
        },
        customdata=[[model, mark] for mark in range(count)],
        text=[
            saying.drawn(f"{name}, {mark}: {saying.share(float(share))} right")
            for mark, share in zip(found.benchmarks, right, strict=True)
        ],
        hovertemplate="%{text}<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
    )


def example() -> go.Figure:
    """Five made-up networks on five benchmarks."""
    return figure(prune_made_up.geometry(), (2, 1))
