"""What becomes of a class as ever more of a map's top is removed, or kept; a marker shows where."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import frames, saying
from components.predictions import percent
from components.tokens import ACCENT, BAR_CHOSEN, BAR_OTHER
from engine.mask_results import MaskSweep

_HEIGHT = 330
_HIGH = 0.85  # from here on the number stands below the marker
_TITLES = {True: "top removed", False: "only the top kept"}


def curve(sweep: MaskSweep, remove: bool) -> np.ndarray:
    """Return the probabilities of one direction, ``(levels + 1, classes)``."""
    found = sweep.removed_probabilities if remove else sweep.kept_probabilities
    assert found is not None, "the sweep went one way only"
    return found


def nearest(sweep: MaskSweep, share: float) -> int:
    """Return the level that is nearest to a share."""
    return int(np.abs(sweep.share - share).argmin())


def figure(sweep: MaskSweep, target: int, share: float, *, remove: bool) -> go.Figure:
    """Draw the probability of a class against the share, both ways, and the marker.

    Args:
        sweep: both directions.
        target: index of the class.
        share: where the marker stands, 0 … 1.
        remove: which of the two is looked at.
    """
    drawn = go.Figure()
    x = 100 * sweep.share.astype(np.float64)
    for way in (not remove, remove):
        values = 100 * curve(sweep, way)[:, target].astype(np.float64)
        colour, width = (BAR_CHOSEN, 3) if way == remove else (BAR_OTHER, 2)
        drawn.add_scatter(
            x=x, y=values, mode="lines", name=_TITLES[way],
            line={"color": colour, "width": width},
            hovertemplate="%{x:.0f} %: %{y:.1f} %<extra>" + _TITLES[way] + "</extra>",
        )  # fmt: skip
    level = nearest(sweep, share)
    height = float(curve(sweep, remove)[level, target])
    above = "bottom" if height > _HIGH else "top"
    frames.line_at(drawn, float(x[level]), ACCENT)
    drawn.add_scatter(
        x=[float(x[level])],
        y=[100 * height],
        mode="markers+text",
        name="here",
        marker={"size": 13, "color": ACCENT, "line": {"color": "#FFFFFF", "width": 2}},
        text=[percent(height)],
        textposition=f"{above} {'left' if x[level] > 80 else 'right'}",
        textfont={"size": 14},
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
    )
    return _finished(drawn, sweep.classes[target])


def _finished(drawn: go.Figure, name: str) -> go.Figure:
    frames.finished(drawn, _HEIGHT)
    drawn.update_xaxes(
        title="share of the picture", range=[-1, 101], ticksuffix=" %", fixedrange=True,
        showgrid=False, zeroline=False,
    )  # fmt: skip
    drawn.update_yaxes(
        title=saying.drawn(f"probability of {saying.named(name)}"), range=[-3, 103],
        ticksuffix=" %", showgrid=True, nticks=6,
    )  # fmt: skip
    drawn.update_layout(
        showlegend=True,
        legend={
            "orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom",
            "traceorder": "reversed", "itemclick": False, "itemdoubleclick": False,
        },
        margin={"l": 0, "r": 16, "t": 8, "b": 0},
    )  # fmt: skip
    return drawn


def made_up(levels: int = 20) -> MaskSweep:
    """Return a made-up sweep of two classes; the first goes as the top is removed."""
    share = np.linspace(0, 1, levels + 1, dtype=np.float32)
    removed = 1 / (1 + np.exp(14 * (share - 0.3)))
    kept = 1 / (1 + np.exp(-16 * (share - 0.15)))
    both = [np.stack([one, 1 - one], axis=1).astype(np.float32) for one in (removed, kept)]
    order = np.arange(64, dtype=np.int32).reshape(8, 8)
    manifest = {"key": "example", "display": {"classes": ["cat", "dog"]}}
    logits = [np.log(one) for one in both]
    return MaskSweep(manifest, share, order, *logits, *both)


def example() -> go.Figure:
    """A made-up sweep."""
    return figure(made_up(), 0, 0.25, remove=True)
