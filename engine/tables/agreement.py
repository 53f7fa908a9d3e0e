"""How far measures of importance agree (krishna2024disagreement)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.errors import MethodError
from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from engine.models.rows import Rows
from engine.parameters import Value, check_all
from engine.table_results import Agreement as AgreementResult
from engine.tables.association import spearman
from engine.tables.curves import curves, grid_of, weights_of
from engine.tables.measure import Found, Measure, Run
from engine.tables.outrank import OutRank
from engine.tables.permutation import Permutation
from engine.tables.quick_selection import QuickSelection
from engine.tables.surrogate import Surrogate
from engine.tables.swarm import Swarm

_POINTS = 10


@dataclass(frozen=True)
class _Voice:
    """A measure that is asked for its order: with which rows, and which parameters."""

    measure: Measure
    rows: int
    given: dict[str, Any]

    def parameters(self, model: LoadedModel | None) -> dict[str, Value]:
        return check_all(self.given, self.measure.parameters_for(model), self.measure.name)

    def part(self, rows: Rows) -> Rows:
        return rows.part(np.arange(min(self.rows, len(rows))))


# Fewer rows where a row costs many passes, so that all of them together stay a matter of seconds.
_VOICES = (
    _Voice(Permutation(), 500, {"repeats": 5}),
    _Voice(Swarm(), 100, {}),
    _Voice(Surrogate(), 500, {"depth": 6, "top": 100}),
    _Voice(OutRank(), 500, {}),
    _Voice(QuickSelection(), 500, {"epochs": 20}),
)
_SPREAD_ROWS = 100
_SPREAD = "Spread of partial dependence"


class Agreement(Measure):
    """Spearman's correlation between what several measures say of all columns.

    Measures take fewer rows and draws here than on their own.
    """

    name = "agreement"
    title = "Agreement of measures"
    summary = "Asks several measures and says how far they put the columns in the same order."
    result = AgreementResult
    paper = "krishna2024disagreement"
    caveat = (
        "Measures answer different questions: some look at the model, some at the data alone. "
        "That they differ need not mean that one is wrong. A measure that says the same of all "
        "columns agrees with none; rows' explanations count by their mean absolute value, partial "
        "dependence by its standard deviation along the curve (our definitions)."
    )
    unit = "each measure's own"
    takes_labels = True
    most_rows = 500
    limit = 500
    least_rows = 12
    packages = ("scikit-learn", "scipy")

    def cost(
        self,
        model: LoadedModel | None,
        rows: Rows,
        parameters: Mapping[str, Value],
        column: int | None = None,
    ) -> Cost:
        """What all of them cost together."""
        count = min(_SPREAD_ROWS, len(rows))
        points = sum(len(grid_of(rows, i, _POINTS)) for i in range(len(rows.spec.columns)))
        total = Cost(count * points)
        for voice in _heard(model, rows)[0]:
            total += voice.measure.cost(model, voice.part(rows), voice.parameters(model))
        return total

    def steps(self, rows: Rows, parameters: Mapping[str, Value]) -> int:
        """What all of them take together."""
        return sum(v.measure.steps(v.part(rows), v.parameters(None)) for v in _VOICES)

    def measure(self, run: Run) -> Found:
        """Return the matrix, and what each measure said."""
        heard, left_out = _heard(run.loaded, run.rows)
        values, titles = [_spread(run)], [_SPREAD]
        for voice in heard:
            values.append(_said(voice, run))
            titles.append(voice.measure.title)
        said = np.stack(values)  # (measures, columns)
        matrix = spearman(said.T)
        np.fill_diagonal(matrix, 1.0)
        return Found(
            {"matrix": matrix.astype(np.float32), "values": said.astype(np.float32)},
            told={"left_out": left_out},
            display={
                "measures": titles,
                "names": ["partial-dependence", *(voice.measure.name for voice in heard)],
            },
        )


def _heard(model: LoadedModel | None, rows: Rows) -> tuple[list[_Voice], list[list[str]]]:
    """Return the measures that can be asked, and the titles of others with the reason."""
    heard, left_out = [], []
    for voice in _VOICES:
        reason = "needs the truth of each row" if _lacks_truth(voice, rows) else ""
        try:
            voice.measure.parameters_for(model)
        except MethodError as error:
            reason = str(error)
        if reason:
            left_out.append([voice.measure.title, reason])
        else:
            heard.append(voice)
    return heard, left_out


def _lacks_truth(voice: _Voice, rows: Rows) -> bool:
    return voice.measure.needs_labels and rows.truth is None


def _said(voice: _Voice, run: Run) -> np.ndarray:
    """Return how important a measure holds each column, ``(columns,)``."""
    own = replace(run, rows=voice.part(run.rows), parameters=voice.parameters(run.loaded))
    values = np.asarray(voice.measure.measure(own).arrays["values"])
    return np.abs(values).mean(axis=0) if voice.measure.name == Swarm.name else values


def _spread(run: Run) -> np.ndarray:
    """Return the standard deviation along the partial dependence of each column, ``(columns,)``."""
    few = replace(run, rows=run.rows.part(np.arange(min(_SPREAD_ROWS, len(run.rows)))))
    found = []
    for column in range(len(run.rows.spec.columns)):
        grid = grid_of(run.rows, column, _POINTS)
        curve = curves(few, column, grid).mean(axis=0)
        weights = weights_of(run.rows, column, grid)
        mean = weights @ curve
        found.append(np.sqrt(weights @ (curve - mean) ** 2))
    return np.array(found)
