"""Which classes are mixed up: true class in rows, predicted in columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from components import saying
from components.tokens import FONT

# From no colour to the colour of the bars: reads on light and on dark.
_SCALE = [[0, "rgba(99,102,241,0)"], [1, "rgba(99,102,241,1)"]]
_MIXED = [[0, "rgba(232,131,58,0)"], [1, "rgba(232,131,58,1)"]]


def figure(table: np.ndarray, classes: Sequence[str]) -> go.Figure:
    """Draw a confusion matrix: right answers in one colour, wrong ones in another.

    Args:
        table: counts ``(classes, classes)``, rows the true class.
        classes: their names.
    """
    names = _apart([saying.drawn(name) for name in classes])
    share = table / np.maximum(1, table.sum(axis=1, keepdims=True))
    right = np.eye(len(table), dtype=bool)
    hover = "%{customdata[0]} of %{customdata[1]} “%{y}” taken for “%{x}”<extra></extra>"
    counts = np.stack([table, np.repeat(table.sum(axis=1)[:, None], len(table), 1)], axis=-1)
    drawn = go.Figure()
    for chosen, scale, top in ((right, _SCALE, 1.0), (~right, _MIXED, 0.3)):
        drawn.add_heatmap(
            z=np.where(chosen, share, np.nan),
            x=names,
            y=names,
            text=np.where(chosen & (table > 0), table.astype(str), ""),
            texttemplate="%{text}",
            customdata=counts,
            colorscale=scale,
            zmin=0,
            zmax=top,
            showscale=False,
            xgap=2,
            ygap=2,
            hoverongaps=False,
            hovertemplate=hover,
        )
    drawn.update_xaxes(
        title="said", side="top", fixedrange=True, showgrid=False, type="category", ticks=""
    )
    drawn.update_yaxes(
        title="true", autorange="reversed", fixedrange=True, showgrid=False, type="category"
    )
    drawn.update_layout(
        height=max(280, 34 * len(table) + 90),
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        dragmode=False,
        font={"family": FONT},
    )
    return drawn


def _apart(names: list[str]) -> list[str]:
    """Number classes of the same name: Plotly would draw them as one."""
    before = [names[:place].count(name) for place, name in enumerate(names)]
    return [f"{n} ({b + 1})" if b else n for n, b in zip(names, before, strict=True)]


def example() -> go.Figure:
    """Made-up counts."""
    return figure(np.array([[9, 1, 0], [0, 8, 2], [0, 0, 10]]), ["cat", "dog", "lynx"])
