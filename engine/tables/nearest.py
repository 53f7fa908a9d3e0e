"""The nearest rows with another outcome: counterfactuals out of the data (wexler2019if)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch

from engine.errors import InputError, ParameterError, nearest
from engine.execution.passes import Cancel, Progress
from engine.execution.predict import predict
from engine.inputs.tables import Row, Table, plain_cell
from engine.models.loaded import LoadedModel
from engine.models.matching import match_row
from engine.models.outputs import probabilities_of
from engine.models.rows import Rows
from engine.models.table_specs import TableSpec
from engine.tables.outcomes import Predicted, outcome_names, outcomes_of, predict_table

Direction = Literal["higher", "lower"]
_DIRECTIONS = ("higher", "lower")
# Rows whose distances differ by less are equally near.
_SAME = 1e-9


@dataclass(frozen=True)
class Change:
    """One column in which another row differs.

    Attributes:
        column, title: its name, and what people call it.
        before, after: what stands in the row asked about, and in the other.
        size: of a number, |difference| in standard deviations; of a category 1.
    """

    column: str
    title: str
    before: Any
    after: Any
    size: float


@dataclass(frozen=True, eq=False)
class Nearest:
    """Rows like one row that the model judges otherwise, the nearest first.

    Attributes:
        rows: int64 ``(k,)``, their numbers, counted from 1 in the whole table.
        distance: float64 ``(k,)``, mean over the columns of each column's size of change.
        scores: float32 ``(k,)``: probability of the last class; of a regression the value.
        outcomes: the name of each one's outcome; of a regression "higher" or "lower".
        changes: what differs in each, the largest change first.
        score, outcome: of the row asked about; of a regression its outcome is "".
        looked_at, of: rows that were looked at, and rows of the whole table.
        passes: forward passes it took.
    """

    rows: np.ndarray
    distance: np.ndarray
    scores: np.ndarray
    outcomes: tuple[str, ...]
    changes: tuple[tuple[Change, ...], ...]
    score: float
    outcome: str
    looked_at: int
    of: int
    passes: int


def other_outcome(
    model: LoadedModel,
    table: Table,
    row: Row,
    count: int = 5,
    *,
    direction: Direction | None = None,
    predicted: Predicted | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Nearest:
    """Find the rows of a table that are most like a row, but judged otherwise.

    Otherwise is another predicted class; of a regression, a value that lies further away than
    one standard deviation of the table's predictions. Near is a small mean over the columns:
    of numbers |difference| by the standard deviation in training (of the table's rows where the
    model does not tell that), of categories 0 or 1; of what is empty in one of the two, 1. Of
    equally near rows the one with the fewest changes comes first (our definition, after Gower).

    Args:
        model: for tables.
        table: where to look; of more than 20,000 rows, so many are drawn.
        row: asked about; one of the table or a made-up one.
        count: how many rows to return at the most.
        direction: of a regression, "higher" or "lower"; both where none is given.
        predicted: what ``predict_table`` returned for this table, to ask about many rows.
        progress, cancel: as in ``measure``.

    Raises:
        InputError: the row or the table does not suit the model.
        ParameterError: a count below 1, or an unknown direction.
        Cancelled: the caller asked to stop.
    """
    _check(model, count, direction)
    spec = model.table_spec
    own = Rows(Table(match_row(row, spec), row.name), spec, match_row(row, spec), 1)
    said = predicted or predict_table(model, table, progress=progress, cancel=cancel)
    score, outcome = _own(model, row)
    judged = _otherwise(said, score, outcome, direction)
    sizes = _sizes(said.rows, own)  # (n, columns)
    best = _nearest(np.flatnonzero(judged), sizes)[:count]
    regression = model.activation == "identity"
    names = tuple(_named(said, int(i), score, regression=regression) for i in best)
    return Nearest(
        rows=said.rows.numbers[best].astype(np.int64),
        distance=sizes[best].mean(axis=1),
        scores=said.scores[best].astype(np.float32),
        outcomes=names,
        changes=tuple(_changes(said.rows, own, int(i), sizes[i]) for i in best),
        score=score,
        outcome="" if regression else outcome_names(model)[outcome],
        looked_at=len(said.rows),
        of=said.rows.of,
        passes=1 + (0 if predicted else said.passes),
    )


def _check(model: LoadedModel, count: int, direction: str | None) -> None:
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ParameterError(f"count={count!r}: expected a whole number from 1 up")
    if direction is None:
        return
    if direction not in _DIRECTIONS:
        raise ParameterError(f"no direction {direction!r}; {nearest(str(direction), _DIRECTIONS)}")
    if model.activation != "identity":
        raise InputError("a direction is for regressions; classes are another or the same")


def _own(model: LoadedModel, row: Row) -> tuple[float, int]:
    """Return score and outcome of the row asked about."""
    logits = torch.from_numpy(predict(model, row).logits)[None]
    score = float(probabilities_of(logits, model.activation)[0, -1])
    return score, int(outcomes_of(logits, model.activation)[0])


def _otherwise(
    said: Predicted, score: float, outcome: int, direction: Direction | None
) -> np.ndarray:
    """Return which rows are judged otherwise, bool ``(n,)``."""
    if outcome >= 0:
        return np.asarray(said.outcomes != outcome)
    apart = said.scores.astype(np.float64) - score
    far = float(said.scores.std(dtype=np.float64))
    if direction == "higher":
        return np.asarray(apart > far)
    return np.asarray(apart < -far) if direction == "lower" else np.asarray(np.abs(apart) > far)


def _named(said: Predicted, index: int, score: float, *, regression: bool) -> str:
    if regression:
        return "higher" if said.scores[index] > score else "lower"
    return said.names[said.outcomes[index]]


def _nearest(places: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return places in the order of their rows' distance; of equals, that of fewest changes."""
    distance = np.round(sizes[places].mean(axis=1) / _SAME)
    return places[np.lexsort((places, (sizes[places] > 0).sum(axis=1), distance))]


def _sizes(rows: Rows, own: Rows) -> np.ndarray:
    """Return how large the change in each column is, float64 ``(n, columns)``."""
    here, there = own.cells[0], rows.cells
    spreads = _spreads(rows)
    found = np.abs(there - here)
    for index, column in enumerate(rows.spec.columns):
        if column.kind == "category":
            found[:, index] = found[:, index] > 0
        else:
            found[:, index] /= spreads[index]
    one_empty = np.isnan(there) ^ np.isnan(here)
    return np.where(one_empty, 1.0, np.nan_to_num(found, nan=0.0))


def _spreads(rows: Rows) -> np.ndarray:
    """Return the standard deviation of each column, as in training or else in these rows."""
    seen = [_learned(rows.spec, i) or float(np.nanstd(rows.filled[:, i])) for i in _each(rows)]
    return np.array([spread or 1.0 for spread in seen])


def _each(rows: Rows) -> range:
    return range(len(rows.spec.columns))


def _learned(spec: TableSpec, index: int) -> float:
    """Return the deviation that the model was told; 0 where it was told nothing of the column."""
    column = spec.columns[index]
    told = column.low is not None or (column.mean, column.std) != (0.0, 1.0)
    return column.std if told else 0.0


def _changes(rows: Rows, own: Rows, place: int, sizes: np.ndarray) -> tuple[Change, ...]:
    """Return what differs in a row, the largest change first."""
    order = [int(i) for i in np.argsort(-sizes, kind="stable") if sizes[i] > 0]
    columns = rows.spec.columns
    return tuple(
        Change(
            columns[i].name,
            columns[i].told,
            plain_cell(own.frame[columns[i].name].iloc[0]),
            plain_cell(rows.frame[columns[i].name].iloc[place]),
            float(sizes[i]),
        )
        for i in order
    )
