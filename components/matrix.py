"""A square table of correlations, as colours and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go

from components import fitting, frames, made_up, saying
from components.tokens import ACCENT, DIVERGING, plotly_scale
from engine.table_results import Agreement, Groups

MOST = 15  # with more names there are no numbers within, and no names below
_LABEL, _FLAT = 150.0, 76.0  # pixels
_LISTED = 8


def figure(values: np.ndarray, names: Sequence[str]) -> go.Figure:
    """Draw a matrix of numbers from −1 to 1.

    Args:
        values: ``(n, n)``; NaN stays empty.
        names: of rows and columns.
    """
    many = len(names) > MOST
    shown = saying.drawn
    hover = [[f"{shown(a)}<br>{shown(b)}" for b in names] for a in names]
    trace = go.Heatmap(
        z=np.asarray(values, dtype=np.float32),
        zmin=-1,
        zmax=1,
        colorscale=plotly_scale(DIVERGING),
        showscale=False,
        xgap=1 if many else 2,
        ygap=1 if many else 2,
        customdata=hover,
        hovertemplate="%{customdata}<br>%{z:.2f}<extra></extra>",
        hoverongaps=False,
    )
    if not many:
        trace.update(text=_told(values), texttemplate="%{text}")
    return with_names(go.Figure(trace), names)


def with_names(drawn: go.Figure, names: Sequence[str]) -> go.Figure:
    """Give a square table its axes and its height.

    Args:
        drawn: cells numbered from 0, the first row on top.
        names: of rows and columns.
    """
    many = len(names) > MOST
    labels = [saying.drawn(fitting.fitted(name, _LABEL, 11 if many else 12)) for name in names]
    places = list(range(len(names)))
    drawn.update_xaxes(
        tickvals=places, ticktext=labels, showticklabels=not many, side="top", ticks="",
        fixedrange=True, showgrid=False, zeroline=False, tickfont={"size": 12},
        tickangle=_angle(labels),
    )  # fmt: skip
    drawn.update_yaxes(
        tickvals=places,
        ticktext=labels,
        range=[len(names) - 0.5, -0.5],
        tickfont={"size": 11 if many else 12},
    )
    return frames.finished(drawn, _height(labels))


def agreement_figure(agreement: Agreement) -> go.Figure:
    """Draw how far measures of importance put the columns in the same order."""
    return figure(agreement.matrix, agreement.manifest["display"]["measures"])


def groups_figure(groups: Groups) -> go.Figure:
    """Draw how columns go together, group by group, the most important group first."""
    order = np.argsort(groups.group, kind="stable")
    drawn = figure(groups.correlation[np.ix_(order, order)], [groups.titles[i] for i in order])
    for start, stop in _runs(groups.group[order]):
        drawn.add_shape(
            type="rect", x0=start - 0.5, x1=stop - 0.5, y0=start - 0.5, y1=stop - 0.5,
            line={"color": ACCENT, "width": 2},
        )  # fmt: skip
    return drawn


def agreement_alt(agreement: Agreement) -> str:
    """Describe the agreement of measures for those who cannot see it."""
    names = agreement.manifest["display"]["measures"]
    return alt(agreement.matrix, names, "agreement")


def groups_alt(groups: Groups) -> str:
    """Describe how columns go together for those who cannot see it."""
    return alt(groups.correlation, groups.titles, "correlations")


def alt(values: np.ndarray, names: Sequence[str], what: str = "correlations") -> str:
    """Describe the picture for those who cannot see it: its largest and smallest number."""
    apart = np.where(np.eye(len(names), dtype=bool), np.nan, np.asarray(values, dtype=np.float64))
    begin = f"Matrix of the {what} of "
    begin += saying.joined(names) if len(names) <= _LISTED else f"{len(names)} columns"
    if not np.isfinite(apart).any():
        return f"{begin}."
    ends = []
    for name, place in (("largest", np.nanargmax(apart)), ("smallest", np.nanargmin(apart))):
        row, column = divmod(int(place), len(names))
        told = saying.number(float(apart[row, column]), 2)
        ends.append(f"{name} {told} between {names[row]} and {names[column]}")
    return f"{begin}: {', '.join(ends)}."


def _told(values: np.ndarray) -> list[list[str]]:
    return [["" if np.isnan(v) else saying.number(float(v), 2) for v in row] for row in values]


def _angle(labels: Sequence[str]) -> int:
    """Names stand upright unless they are few and short: slanted ones leave the picture."""
    flat = len(labels) <= 3 and all(fitting.width(label) <= _FLAT for label in labels)
    return 0 if flat else -90


def _height(labels: Sequence[str]) -> int:
    """Rows of cells, and what the names above them take."""
    if len(labels) > MOST:
        return 18 * len(labels) + 20
    longest = max((fitting.width(label) for label in labels), default=0.0)
    return 34 * len(labels) + (round(longest) + 24 if _angle(labels) else 40)


def _runs(group: np.ndarray) -> list[tuple[int, int]]:
    """Return where each group of more than one column begins and ends."""
    edges = np.flatnonzero(np.diff(group, prepend=group[0] - 1, append=group[-1] + 1))
    return [(int(a), int(b)) for a, b in pairwise(edges) if b - a > 1]


def example() -> go.Figure:
    """Three made-up measures."""
    return agreement_figure(made_up.agreement())
