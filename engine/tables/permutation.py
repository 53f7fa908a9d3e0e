"""Permutation importance (breiman2001random; fisher2019all)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from engine.models.losses import losses_of
from engine.models.rows import Rows
from engine.parameters import Parameter, Value
from engine.table_results import ColumnScores
from engine.tables.measure import Found, Measure, Run
from engine.tables.outcomes import outcomes_of

_OF_CLASSES = ("log-loss", "accuracy")
_OF_VALUES = ("squared-error", "r2")
_UNITS = {
    "log-loss": "rise of the log-loss (nats)",
    "accuracy": "fall of the accuracy (1 = all rows)",
    "squared-error": "rise of the mean squared error",
    "r2": "fall of R²",
}


class Permutation(Measure):
    """How much worse the model does when a column is shuffled, all others staying.

    The shuffling is scikit-learn's; a column of the user's table is shuffled as one, with all
    its features. The error is the standard error over the repeats.
    """

    name = "permutation"
    title = "Permutation importance"
    summary = "Shuffles one column after the other and sees how much worse the model does."
    result = ColumnScores
    parameters = (
        Parameter("repeats", "Repeats", "int", 10, "How often it is shuffled.", low=2, high=100),
        Parameter(
            "score",
            "Score",
            "choice",
            "log-loss",
            "What counts as worse.",
            choices=_OF_CLASSES + _OF_VALUES,
        ),
    )
    paper = "breiman2001random"
    caveat = (
        "Shuffling breaks the column's ties with the others: rows arise that do not exist, and "
        "columns that say alike stand in for each other."
    )
    unit = "loss of performance"
    needs_labels = True
    takes_target = False
    packages = ("scikit-learn",)

    def parameters_for(self, model: LoadedModel | None) -> tuple[Parameter, ...]:
        """The scores that suit the model's task."""
        repeats, score = self.parameters
        regression = model is not None and model.activation == "identity"
        choices = _OF_VALUES if regression else _OF_CLASSES
        return repeats, replace(score, default=choices[0], choices=choices)

    def cost(
        self,
        model: LoadedModel | None,
        rows: Rows,
        parameters: Mapping[str, Value],
        column: int | None = None,
    ) -> Cost:
        """All rows once as they are, and once for each column and repeat."""
        return Cost(len(rows) * (1 + len(rows.spec.columns) * int(parameters["repeats"])))

    def measure(self, run: Run) -> Found:
        """Return values ``(columns,)`` in the unit of the score."""
        from sklearn.inspection import permutation_importance

        count, repeats = len(run.rows), int(run.parameters["repeats"])
        score = str(run.parameters["score"])
        asked = _Shuffled(run)
        told: dict[str, float] = {}

        def performance(estimator: _Shuffled, origins: np.ndarray, _truth: Any) -> float:
            found = _performance(run, estimator.logits(origins), score)
            told.setdefault("baseline", found)  # the first question is about the rows as they are
            return found

        found = permutation_importance(
            asked,
            np.repeat(np.arange(count)[:, None], len(run.rows.spec.columns), axis=1),
            run.rows.truth,
            scoring=performance,
            n_repeats=repeats,
            n_jobs=1,
            random_state=run.seed % 2**32,
        )
        spread = found.importances.std(axis=1, ddof=1)
        return Found(
            {
                "values": found.importances_mean.astype(np.float32),
                "error": (spread / np.sqrt(repeats)).astype(np.float32),
            },
            told={"score": score, "performance": told["baseline"]},
            display={"unit": _UNITS[score]},
        )


class _Shuffled:
    """What scikit-learn shuffles: for each cell, int64 ``(n, columns)``, the row it comes from.

    So a category's features stay together, and no cell is encoded twice.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._features = run.features()
        self._column_of = run.rows.spec.column_of
        self._places = torch.arange(self._features.shape[1], device=self._features.device)

    def fit(self, *_: Any) -> _Shuffled:
        """Be an estimator, as scikit-learn asks; the model is fitted already."""
        return self

    def logits(self, origins: np.ndarray) -> torch.Tensor:
        """Return what the model says of rows made of cells of other rows."""
        taken = torch.from_numpy(origins[:, self._column_of]).to(self._places.device)
        return self._run.logits(self._features[taken, self._places])  # (n, features)


def _performance(run: Run, logits: torch.Tensor, score: str) -> float:
    """Return a number that is higher where the model does better."""
    truth = run.rows.truth
    assert truth is not None  # checked by the plan
    if score == "accuracy":
        return float((outcomes_of(logits, run.model.activation) == truth).mean())
    loss = float(losses_of(logits, truth, run.model.activation).mean())
    if score == "r2":
        return 1.0 - loss / (float(truth.var()) or 1.0)
    return -loss
