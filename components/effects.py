"""How the prediction moves with one column: on average, and row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from components import curves, effect_traces, effects_of_names, frames, made_up, saying
from components.facts import Facts, facts_of
from components.tokens import ACCENT
from engine.table_results import Effects

_HEIGHT = 340


def figure(effects: Effects, chosen_value: Any = None, chosen_row: int | None = None) -> go.Figure:
    """Draw partial dependence with its rows, or accumulated local effects.

    Args:
        effects: what was found out about one column.
        chosen_value: what stands in that column of the row looked at: a number, the name of a
            category or its place; or None.
        chosen_row: its number, to highlight its own line.

    A click on a line returns the number of its row as ``customdata``.
    """
    if curves.names_of(effects):
        return effects_of_names.figure(effects, chosen_value, chosen_row)
    told = facts_of(effects)
    drawn = go.Figure()
    drawn.add_traces(effect_traces.rows(effects, told))
    drawn.add_traces(effect_traces.average(effects, told))
    drawn.add_traces(effect_traces.highlight(effects, told, chosen_row))
    drawn.add_traces(effect_traces.rug(effects))
    _axes(drawn, effects, told)
    if chosen_value is not None and np.isfinite(float(chosen_value)):
        _mark(drawn, effects, float(chosen_value), chosen_row)
    return drawn


def alt(effects: Effects) -> str:
    """Describe the picture for those who cannot see it."""
    told, title = facts_of(effects), saying.inside(curves.title_of(effects))
    names = curves.names_of(effects)
    shown = 0 if names else len(effect_traces.lines_shown(effects))
    many = f", with {saying.counted(shown, 'row')} as thin lines" if shown else ""
    if curves.are_changes(effects):
        what = f"the {told.changes.removesuffix(', in points')}"
    else:
        what = f"the average {told.noun.removeprefix('the ')}"
    if names:
        return f"Points of {what} for {saying.counted(len(effects.grid), 'name')} of {title}."
    return f"Curve of {what} along {title}{many}."


def _axes(drawn: go.Figure, effects: Effects, told: Facts) -> None:
    unit = told.units[curves.place_of(effects)]
    title = curves.title_of(effects) + (f" ({unit})" if unit else "")
    low, high = float(effects.grid.min()), float(effects.grid.max())
    room = 0.02 * ((high - low) or 1.0)
    drawn.update_xaxes(
        title=saying.drawn(title), range=[low - room, high + room], fixedrange=True, nticks=6,
        zeroline=False, anchor="y2", showgrid=False,
    )  # fmt: skip
    local = curves.are_changes(effects)
    frames.finished(drawn, _HEIGHT)
    drawn.update_layout(
        yaxis={
            "title": told.axis_of_changes if local else told.axis,
            "ticksuffix": "" if local else told.suffix,
            "domain": [0.09, 1],
            "nticks": 6,
            "showgrid": True,
            "zeroline": local,
        },
        yaxis2={
            "domain": [0, 0.06], "visible": False, "range": [-1, 1], "fixedrange": True,
        },
        hovermode="closest",
    )  # fmt: skip


def _mark(drawn: go.Figure, effects: Effects, value: float, row: int | None) -> None:
    """A line at the row's own value, with what stands there."""
    low, high = drawn.layout.xaxis.range
    at = min(max(value, low), high)
    frames.line_at(drawn, at, ACCENT, "dot")
    name = "this row" if row is None else f"row {row}"
    told = facts_of(effects).cell(curves.place_of(effects), value)
    right = (at - low) < 0.5 * (high - low)
    drawn.add_annotation(
        x=at, y=1, yref="paper", yanchor="bottom", showarrow=False,
        xanchor="left" if right else "right", text=saying.drawn(f"{name}: {told}"),
        font={"size": 12},
    )  # fmt: skip
    drawn.update_layout(margin={"t": 22})


def example() -> go.Figure:
    """A made-up curve."""
    return figure(made_up.effects(), 880.0, 7)
