"""How strongly heads attend to near and far patches: one small chart for each layer."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from components import frames, head_made_up, saying
from components.head_names import named
from components.tokens import ACCENT, BAR_CHOSEN, BAR_OTHER
from engine.head_results import HeadStrength

_HIGH = 118  # pixels of a row of charts
_WIDE, _TALL = 1.0, 1.0  # of a chart, in the axes' units
_APART, _BELOW = 0.16, 0.42  # between charts


def figure(
    strength: HeadStrength,
    hop: int = 1,
    chosen: tuple[int, int] | None = None,
    per_cell: bool = False,
    columns: int | None = None,
) -> go.Figure:
    """Draw what patches give to patches at each distance, a line for each head.

    All small charts are drawn as one. Their heights have the same scale; each is as wide as its
    layer's own patches reach, which in windows is less. A click on a dot returns layer and head,
    counted from 0.

    Args:
        strength: of all heads.
        hop: the distance that is marked.
        chosen: the head that is looked at; or None.
        per_cell: what a single patch gets instead of all at a distance.
        columns: small charts beside each other; by default three of up to nine, else four.
    """
    values = (strength.per_cell() if per_cell else strength.profile).astype(np.float64)
    top = float(np.nanmax(values, initial=0.0)) or 1.0
    count = len(strength.heads)
    beside = min(count, columns or (3 if count <= 9 else 4))
    panels = _Panels(beside, _last_hops(strength), top)
    drawn = go.Figure()
    drawn.add_trace(_lines(panels, values, strength.heads))
    for trace in _own_line(panels, values, chosen):
        drawn.add_trace(trace)
    drawn.add_trace(_dots(panels, values, strength, hop, chosen))
    for layer in range(panels.count):
        panels.frame(drawn, layer, strength, hop)
    frames.finished(drawn, _HIGH * panels.rows + 30)
    wide, high = panels.columns * (_WIDE + _APART) - _APART, panels.rows * (_TALL + _BELOW)
    hidden = {"visible": False, "fixedrange": True}
    drawn.update_xaxes(range=[-0.02, wide + 0.02], **hidden)
    drawn.update_yaxes(range=[-high, 0.02], **hidden)
    drawn.update_layout(hovermode="closest", margin={"l": 0, "r": 0, "t": 4, "b": 0})
    return drawn


class _Panels:
    """Where the small charts are, in units of one pair of axes."""

    def __init__(self, columns: int, last: list[int], top: float) -> None:
        self.count = len(last)
        self.columns = max(1, columns)
        self.rows = -(-self.count // self.columns)
        self.last = last
        self._top = top

    def corner(self, layer: int) -> tuple[float, float]:
        """Left and lower end of a layer's chart."""
        row, column = divmod(layer, self.columns)
        return column * (_WIDE + _APART), -row * (_TALL + _BELOW) - _TALL - 0.2

    def x(self, layer: int, hop: float | np.ndarray) -> np.ndarray:
        """Where a distance lies."""
        share = np.asarray(hop) / max(1, self.last[layer])
        return np.asarray(self.corner(layer)[0] + _WIDE * share)

    def y(self, layer: int, value: float | np.ndarray) -> np.ndarray:
        """Where a value lies."""
        return np.asarray(self.corner(layer)[1] + _TALL * np.asarray(value) / self._top)

    def frame(self, drawn: go.Figure, layer: int, strength: HeadStrength, hop: int) -> None:
        """Draw a chart's ground line, its title, its ends and the marked distance."""
        left, low = self.corner(layer)
        line = {"color": BAR_OTHER, "width": 1}
        drawn.add_shape(type="line", x0=left, x1=left + _WIDE, y0=low, y1=low, line=line)
        last = self.last[layer]
        if hop <= last:
            at = float(self.x(layer, hop))
            dash = {"color": ACCENT, "width": 1.4, "dash": "dot"}
            drawn.add_shape(
                type="line", x0=at, x1=at, y0=low, y1=low + _TALL, line=dash, layer="below"
            )
        windows = strength.manifest["display"]["windows"][layer]
        end = f" · {windows} windows" if windows > 1 else ""
        drawn.add_annotation(
            x=left, y=low + _TALL, text=f"layer {layer + 1}{end}", showarrow=False,
            xanchor="left", yanchor="bottom", font={"size": 12},
        )  # fmt: skip
        if layer == 0:
            drawn.add_annotation(
                x=left + _WIDE, y=low + _TALL, text=f"up to {saying.share(self._top)}",
                showarrow=False, xanchor="right", yanchor="top" if end else "bottom",
                font={"size": 10},
            )  # fmt: skip
        for place in (0, last):
            drawn.add_annotation(
                x=float(self.x(layer, place)), y=low, text=str(place), showarrow=False,
                xanchor="left" if place == 0 else "right", yanchor="top", font={"size": 10},
            )  # fmt: skip


def _last_hops(strength: HeadStrength) -> list[int]:
    """Return the largest distance in each layer."""
    return [int(np.isfinite(cells).nonzero()[0].max()) for cells in strength.cells]


def _lines(panels: _Panels, values: np.ndarray, heads: tuple[int, ...]) -> go.Scatter:
    """All heads' lines, as one trace with gaps."""
    x: list[float | None] = []
    y: list[float | None] = []
    for layer, count in enumerate(heads):
        for head in range(count):
            there = np.isfinite(values[layer, head])
            hops = np.flatnonzero(there)
            x += [*_short(panels.x(layer, hops)), None]
            y += [*_short(panels.y(layer, values[layer, head][there])), None]
    return go.Scatter(
        x=x, y=y, mode="lines", line={"color": BAR_OTHER, "width": 1.2}, opacity=0.55,
        hoverinfo="skip", connectgaps=False,
    )  # fmt: skip


def _own_line(
    panels: _Panels, values: np.ndarray, chosen: tuple[int, int] | None
) -> list[go.Scatter]:
    if chosen is None:
        return []
    there = np.isfinite(values[chosen])
    return [
        go.Scatter(
            x=_short(panels.x(chosen[0], np.flatnonzero(there))),
            y=_short(panels.y(chosen[0], values[chosen][there])),
            mode="lines",
            line={"color": BAR_CHOSEN, "width": 2.6},
            hoverinfo="skip",
        )
    ]


def _dots(
    panels: _Panels,
    values: np.ndarray,
    strength: HeadStrength,
    hop: int,
    chosen: tuple[int, int] | None,
) -> go.Scatter:
    """A dot for each head at the marked distance, told and picked."""
    keys = [
        (layer, head)
        for layer, count in enumerate(strength.heads)
        for head in range(count)
        if hop < values.shape[2] and np.isfinite(values[layer, head, hop])
    ]
    keys.sort(key=lambda key: key == chosen)  # drawn last, above the others
    away = f"patches {hop} away" if hop else "the patch itself"
    return go.Scatter(
        x=[float(panels.x(layer, hop)) for layer, _ in keys],
        y=[round(float(panels.y(layer, values[layer, head, hop])), 4) for layer, head in keys],
        mode="markers",
        marker={
            "size": [9 if key == chosen else 6 for key in keys],
            "color": [BAR_CHOSEN if key == chosen else BAR_OTHER for key in keys],
            "line": {"width": 0},
        },
        customdata=[list(key) for key in keys],
        text=[
            saying.drawn(f"{named(*key)}: {saying.share(float(values[*key, hop]))} to {away}")
            for key in keys
        ],
        hovertemplate="%{text}<extra></extra>",
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
    )


def _short(places: np.ndarray) -> list[float]:
    return [round(float(place), 4) for place in places]


def example() -> go.Figure:
    """Made-up strength, a head chosen."""
    return figure(head_made_up.strength(), 2, (3, 1))
