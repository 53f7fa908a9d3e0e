"""One number for each column, as bars: what speaks for and against, or what matters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from components import bar_rows, fitting, frames, made_up, saying
from components.bar_rows import ERRORS, Bars
from components.facts import Facts, facts_of
from components.tokens import BAR_CHOSEN
from engine.results import Attribution
from engine.table_results import ColumnScores, Groups

TOP_OF_A_ROW, TOP = 12, 15
_SAID = 220.0  # pixels for labels without a value


def attribution_figure(attribution: Attribution, top: int = TOP_OF_A_ROW) -> go.Figure:
    """Draw what speaks for and against in a row, where a method has no base value.

    A click on a bar returns the place of its column.
    """
    told = facts_of(attribution)
    values = attribution.values.astype(np.float64)
    order = np.argsort(-np.abs(values), kind="stable")
    shown = order[: bar_rows.shown_of(len(order), top)]
    row = attribution.manifest["source"].get("row", {})
    cells = [told.cell(place, row.get(told.columns[place])) for place in shown]
    titles = [told.titles[place] for place in shown]
    bars = Bars(
        labels=[fitting.label(*both) for both in zip(titles, cells, strict=True)],
        starts=np.zeros(len(shown)),
        lengths=values[shown] * told.factor,
        texts=[told.step(value) for value in values[shown]],
        hovers=bar_rows.hovers(
            [f"{t} = {c}" for t, c in zip(titles, cells, strict=True)], values[shown], told
        ),
        colours=bar_rows.by_sign(values[shown]),
        errors=None if attribution.error is None else attribution.error[shown] * told.factor,
        keys=[int(place) for place in shown],
    )
    rest = np.abs(values[order[len(shown) :]])
    slope = attribution.manifest["display"].get("view") == "magnitude"
    sides = "← falls · if the column rises by one σ · rises →" if slope else _sides(told)
    return _from_zero(bar_rows.with_rest(bars, rest, told.change), sides)


def scores_figure(scores: ColumnScores, top: int = TOP) -> go.Figure:
    """Draw the importance of columns, with whiskers of two standard errors to each side.

    A click on a bar returns the place of its column.
    """
    told = facts_of(scores)
    order = scores.order()
    shown = order[: bar_rows.shown_of(len(order), top)]
    values = scores.values.astype(np.float64)
    error = None if scores.error is None else scores.error.astype(np.float64)
    bars = Bars(
        labels=[fitting.fitted(told.titles[place], _SAID) for place in shown],
        starts=np.zeros(len(shown)),
        lengths=values[shown],
        texts=[saying.number(value, 2) for value in values[shown]],
        hovers=[_score_told(told.titles[p], values[p], error, p, told.unit) for p in shown],
        colours=[BAR_CHOSEN] * len(shown),
        errors=None if error is None else error[shown],
        keys=[int(place) for place in shown],
    )
    rest = values[order[len(shown) :]]
    return _from_zero(bar_rows.with_rest(bars, rest, saying.number), fitting.axis(told.unit))


def groups_figure(groups: Groups, top: int = TOP) -> go.Figure:
    """Draw what each group of columns counts for as one; a click returns the group."""
    told = facts_of(groups)
    shown = bar_rows.shown_of(len(groups.values), top)
    values = groups.values.astype(np.float64)
    members = [
        [told.titles[place] for place in np.flatnonzero(groups.group == index)]
        for index in range(len(values))
    ]
    bars = Bars(
        labels=[_group_label(titles) for titles in members[:shown]],
        starts=np.zeros(shown),
        lengths=values[:shown] * told.factor,
        texts=[told.change(value) for value in values[:shown]],
        hovers=[
            f"{saying.joined(titles)}: {told.change(value)}"
            for titles, value in zip(members[:shown], values, strict=False)
        ],
        colours=[BAR_CHOSEN] * shown,
        errors=None if groups.error is None else groups.error[:shown] * told.factor,
        keys=list(range(shown)),
    )
    bars = bar_rows.with_rest(bars, values[shown:], told.change, "group")
    return _from_zero(bars, fitting.axis(f"mean {told.changes}"))


def attribution_alt(attribution: Attribution) -> str:
    """Describe the bars of a row for those who cannot see them."""
    told = facts_of(attribution)
    order = np.argsort(-np.abs(attribution.values), kind="stable")[:3]
    parts = [f"{told.titles[p]} {told.step(float(attribution.values[p]))}" for p in order]
    return f"Bars of what speaks for and against, the longest: {', '.join(parts)}."


def scores_alt(scores: ColumnScores) -> str:
    """Describe the bars of importance for those who cannot see them."""
    order = scores.order()[:3]
    parts = [f"{scores.titles[p]} {saying.number(float(scores.values[p]))}" for p in order]
    return f"Bars of the importance of {len(scores.values)} columns, first {', '.join(parts)}."


def groups_alt(groups: Groups) -> str:
    """Describe the bars of groups for those who cannot see them."""
    told, values = facts_of(groups), groups.values.astype(np.float64)
    parts = [
        f"{_group_label([told.titles[p] for p in np.flatnonzero(groups.group == index)])} "
        f"{told.change(value)}"
        for index, value in enumerate(values[:3])
    ]
    return f"Bars of what {saying.counted(len(values), 'group')} count for: {', '.join(parts)}."


def _from_zero(bars: Bars, axis: str) -> go.Figure:
    drawn = bar_rows.figure(bars, axis)
    frames.line_at(drawn, 0.0)
    return drawn


def _sides(told: Facts) -> str:
    name = told.target or "it"
    if told.kind == "value":
        return saying.drawn(f"← lowers · {fitting.fitted(name, 80.0, 13)} · raises →")
    return saying.drawn(f"← against · {fitting.fitted(name, 80.0, 13)} · for →")


def _score_told(title: str, value: float, error: np.ndarray | None, place: int, unit: str) -> str:
    give = "" if error is None else f" ± {saying.number(ERRORS * float(error[place]), 2)}"
    return f"{title}: {saying.number(value)}{give}{f' {unit}' if unit else ''}"


def _group_label(titles: Sequence[str]) -> str:
    if len(titles) == 1:
        return fitting.fitted(titles[0], _SAID)
    more = f" + {len(titles) - 1} more"
    return fitting.fitted(titles[0], _SAID - fitting.width(more)) + more


def example() -> go.Figure:
    """Made-up importance."""
    return scores_figure(made_up.scores())
