"""Sentences about the columns of a whole table: which matter, and do measures agree."""

from __future__ import annotations

import numpy as np

from components import ranks
from components.bar_rows import ERRORS
from components.facts import Facts, facts_of
from components.saying import begun, inside, joined, named, number
from engine.table_results import Agreement, ColumnScores, Groups, Swarm

# Our definitions of what the words mean.
_DIRECTED = 0.3  # a rank correlation from which high values push one way
_TOGETHER, _PARTLY = 0.7, 0.4  # rank correlations of measures that agree, or do in part
_APART = 0.2  # below the mean of the other measures: goes its own way

# How each measure says which column is first, and what the ones that do not count do not.
_SAID = {
    "permutation": ("Shuffling {} costs most", ("makes", "make", "no measurable difference")),
    "outrank": (
        "Knowing {} tells most about the outcome",
        ("tells", "tell", "no more than chance would"),
    ),
    "quick-selection": (
        "The network that mends noisy rows leans most on {}",
        ("is", "are", "not leaned on measurably"),
    ),
}
_COUNTS = ("{} counts most", ("makes", "make", "no measurable difference"))


def swarm_sentence(swarm: Swarm) -> str:
    """Say which column moves the predictions most, and which way its high values push."""
    told, size = facts_of(swarm), swarm.importance()
    if not size.max(initial=0.0) > 0:
        return "No column moves the predictions."
    first = int(np.argmax(size))
    moved = f"{begun(inside(told.titles[first]))} moves predictions most"
    return f"{moved}, by {told.change(float(size[first]))} on average; {_push(swarm, told, first)}."


def scores_sentence(scores: ColumnScores) -> str:
    """Say which column a measure finds most important, and how many it finds useless."""
    told = facts_of(scores)
    values = scores.values.astype(np.float64)
    first = int(scores.order()[0])
    said, (one, many, nothing) = _SAID.get(told.measure, _COUNTS)
    error = None if scores.error is None else scores.error.astype(np.float64)
    idle = values == 0 if error is None else np.abs(values) <= ERRORS * error
    if idle.all():
        return f"By this measure, all {len(values)} columns {many} {nothing}."
    give = "" if error is None else f" ± {number(ERRORS * float(error[first]), 1)}"
    unit = f" {told.unit}" if told.unit and " " not in told.unit else ""
    verb = one if idle.sum() == 1 else many
    end = f"; {idle.sum()} of {len(values)} columns {verb} {nothing}" if idle.any() else ""
    subject = begun(said.format(inside(told.titles[first])))
    return f"{subject} ({number(values[first], 2)}{give}{unit}){end}."


def groups_sentence(groups: Groups) -> str:
    """Say which columns go together, and which group counts most."""
    told, count = facts_of(groups), len(groups.values)
    columns = len(groups.group)
    if count == columns:
        first = inside(told.titles[int(np.flatnonzero(groups.group == 0)[0])])
        return (
            f"No two columns go together closely; {first} counts most "
            f"({told.change(float(groups.values[0]))} on average)."
        )
    if count == 1:
        return f"All {columns} columns go together: they form one group."
    first, second = (_members(groups, told, index) for index in (0, 1))
    return (
        f"The {columns} columns form {count} groups; {first} counts most "
        f"({told.change(float(groups.values[0]))} on average), then {second} "
        f"({told.change(float(groups.values[1]))})."
    )


def agreement_sentence(agreement: Agreement) -> str:
    """Say which measures agree most, and which goes its own way."""
    names = [inside(str(name)) for name in agreement.manifest["display"]["measures"]]
    matrix = np.where(np.eye(len(names), dtype=bool), np.nan, agreement.matrix.astype(np.float64))
    if len(names) < 2 or not np.isfinite(matrix).any():
        return "There are no two measures to compare."
    row, column = divmod(int(np.nanargmax(matrix)), len(names))
    most = float(matrix[row, column])
    if len(names) == 2:
        how = "agree" if most >= _TOGETHER else "agree in part" if most >= _PARTLY else "disagree"
        both = begun(f"{names[0]} and {names[1]}")
        return f"{both} {how} on the order of the columns ({number(most, 2)})."
    pair = f"{names[row]} and {names[column]} agree most ({number(most, 2)})"
    means = np.array([np.nanmean(line) if np.isfinite(line).any() else np.nan for line in matrix])
    last = int(np.nanargmin(means))
    others = float(np.nanmean(np.delete(means, last)))
    lowest = float(np.nanmin(matrix))
    first = begun(pair)
    if means[last] < _TOGETHER and means[last] <= others - _APART and last not in (row, column):
        return f"{first}; {names[last]} goes its own way ({number(means[last], 2)} on average)."
    if lowest >= _TOGETHER:
        return f"{first}, and all the others nearly as much: the order can be relied on."
    if most < _PARTLY:
        return f"Even {pair}: no two measures tell the same order."
    return f"{first}; the least agreement of two is {number(lowest, 2)}."


def _push(swarm: Swarm, told: Facts, column: int) -> str:
    values, inputs = swarm.values[:, column].astype(np.float64), swarm.inputs[:, column]
    names = told.categories.get(told.columns[column])
    if names is not None:
        return _pushing_name(values, inputs, list(names), told)
    rho = ranks.correlation(inputs, values)
    if abs(rho) < _DIRECTED:
        return "high values push both ways"
    if told.kind == "value":
        return f"high values push {told.noun} {'up' if rho > 0 else 'down'}"
    return f"high values push {'towards' if rho > 0 else 'away from'} {_outcome(told)}"


def _pushing_name(values: np.ndarray, inputs: np.ndarray, names: list[str], told: Facts) -> str:
    """Name the category whose rows are pushed up most on average."""
    there = np.isfinite(inputs)
    codes = inputs[there].astype(np.int64)
    counts = np.bincount(codes, minlength=len(names))
    sums = np.bincount(codes, values[there], minlength=len(names))
    means = np.where(counts > 0, sums / np.maximum(1, counts), -np.inf)
    best = int(means.argmax())
    end = "up" if told.kind == "value" else f"towards {_outcome(told)}"
    return f"“{names[best]}” pushes most {end}"


def _outcome(told: Facts) -> str:
    return named(told.target) if told.target and not told.versus else "a higher score"


def _members(groups: Groups, told: Facts, index: int) -> str:
    titles = [inside(told.titles[place]) for place in np.flatnonzero(groups.group == index)]
    if len(titles) < 2:
        return titles[0]
    if len(titles) < 4:
        return f"the group of {joined(titles)}"
    return f"the group of {titles[0]}, {titles[1]} and {len(titles) - 2} more"
