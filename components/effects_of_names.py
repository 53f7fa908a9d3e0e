"""How the prediction moves with a column of categories: one point for each name."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from components import bar_rows, curves, fitting, frames, made_up, saying
from components.bar_rows import ERRORS
from components.facts import Facts, facts_of
from components.tokens import ACCENT, BAR_CHOSEN, BAR_OTHER
from engine.table_results import Effects

TOP = 20
_ROW = 27  # pixels
_LABEL = 160.0
_SOME = 2  # names told of those that no row has


def figure(found: Effects, chosen: Any = None, row: int | None = None) -> go.Figure:
    """Draw a point with whiskers for each name, the larger the more rows have it.

    Args:
        found: effects of a column of categories.
        chosen: the row's own name or its place, written in bold; or None.
        row: number of the row whose own predictions are marked; or None.
    """
    told, names = facts_of(found), curves.names_of(found)
    counts = _counts(found, len(names))
    shown = _shown(counts, found.grid.astype(np.int64))
    at = np.arange(len(shown))
    codes = found.grid[shown].astype(np.int64)
    drawn = go.Figure()
    drawn.add_traces(_spread(found, told, shown))
    drawn.add_trace(_points(found, told, shown, [names[code] for code in codes], counts[codes]))
    own_row = _own(found, told, shown, row)
    drawn.add_traces(own_row)
    labels = [saying.drawn(fitting.fitted(names[code], _LABEL)) for code in codes]
    own = [chosen is not None and chosen in (code, names[code]) for code in codes.tolist()]
    drawn.update_yaxes(
        tickvals=at,
        ticktext=[f"<b>{lab}</b>" if mine else lab for lab, mine in zip(labels, own, strict=True)],
        range=[len(at) - 0.4, -0.6],
        tickfont={"size": 12},
    )
    local = curves.are_changes(found)
    axis = told.axis_of_changes if local else told.axis
    left = len(found.grid) - len(shown)
    marks = ["grey: nine of ten rows"] * (found.lines is not None) + ["◆ this row"] * bool(own_row)
    notes = [" · ".join(marks)] * bool(marks)
    notes += [f"{left} rarer names are not shown"] * bool(left)
    unseen = found.outcome.get("unseen", [])
    notes += [f"no row has {_listed(unseen)}"] * bool(unseen)
    drawn.update_xaxes(
        title="<br>".join([axis, *notes]), ticksuffix="" if local else told.suffix,
        fixedrange=True, nticks=6, tickangle=0, zeroline=local, showgrid=True,
    )  # fmt: skip
    return frames.finished(drawn, _ROW * len(at) + 66 + 18 * len(notes))


def _listed(names: list[str]) -> str:
    """List a few names, and count the others."""
    some = [saying.drawn(fitting.fitted(name, _LABEL)) for name in names[:_SOME]]
    left = len(names) - len(some)
    return ", ".join(some) + (f" and {left} more" if left else "")


def _counts(found: Effects, names: int) -> np.ndarray:
    """How many rows have each name; all the same where that is not known."""
    if found.density is None:
        return np.ones(names, dtype=np.int64)
    codes = found.density[np.isfinite(found.density)].astype(np.int64)
    return np.bincount(codes, minlength=names)


def _shown(counts: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return the places in the grid of the most frequent names, in their own order."""
    order = np.argsort(-counts[codes], kind="stable")
    return np.sort(order[: bar_rows.shown_of(len(order), TOP)])


def _spread(found: Effects, told: Facts, shown: np.ndarray) -> list[go.Scatter]:
    """Where nine of ten rows are, as a thin bar behind the point."""
    if found.lines is None:
        return []
    low, high = np.quantile(found.lines[:, shown] * told.factor, (0.05, 0.95), axis=0)
    x = np.stack([low, high, np.full(len(shown), np.nan)], axis=1).ravel()
    line = {"color": BAR_OTHER, "width": 5}
    return [
        go.Scatter(
            x=x, y=np.repeat(np.arange(len(shown)), 3), mode="lines", line=line, opacity=0.35,
            hoverinfo="skip",
        )
    ]  # fmt: skip


def _points(
    found: Effects, told: Facts, shown: np.ndarray, names: list[str], counts: np.ndarray
) -> go.Scatter:
    values = found.values[shown].astype(np.float64)
    whiskers: dict[str, Any] = {}
    if found.error is not None:
        reach = ERRORS * found.error[shown].astype(np.float64) * told.factor
        whiskers["error_x"] = {"array": reach, "color": BAR_CHOSEN, "thickness": 2, "width": 4}
    texts = [
        f"{name}: {curves.say(found, told, float(value))}"
        + ("" if found.density is None else f"<br>{saying.counted(int(count), 'row')} have it")
        for name, value, count in zip(map(saying.drawn, names), values, counts, strict=True)
    ]
    size = 7 + 9 * np.sqrt(counts / max(1, counts.max(initial=1)))
    return go.Scatter(
        x=values * told.factor,
        y=np.arange(len(shown)),
        mode="markers",
        marker={"color": BAR_CHOSEN, "size": size, "opacity": 1, "line": {"width": 0}},
        text=texts,
        hovertemplate="%{text}<extra></extra>",
        **whiskers,
    )


def _own(found: Effects, told: Facts, shown: np.ndarray, row: int | None) -> list[go.Scatter]:
    """What the row itself would be told with each of the names."""
    if found.lines is None or found.rows is None or row is None:
        return []
    return [
        go.Scatter(
            x=found.lines[place, shown] * told.factor,
            y=np.arange(len(shown)),
            mode="markers",
            marker={"symbol": "diamond", "color": ACCENT, "size": 8, "line": {"width": 0}},
            customdata=np.full(len(shown), row),
            hovertemplate="this row, %{customdata}<extra></extra>",
        )
        for place in np.flatnonzero(found.rows == row)[:1]
    ]


def example() -> go.Figure:
    """Made-up categories."""
    return figure(made_up.effects(category=True), "twice", 7)
