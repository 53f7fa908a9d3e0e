"""OutRank: what a column tells of the outcome, beyond what chance would (skrlj2023outrank)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.errors import InputError
from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from engine.models.rows import Rows
from engine.parameters import Parameter, Value
from engine.table_results import ColumnScores
from engine.tables.measure import Found, Measure, Run
from engine.tables.outcomes import outcomes_of


class OutRank(Measure):
    """H(Y shifted | X) − H(Y | X): how much less unsure one is of Y knowing X, in bits.

    A column with many different values seems to tell much by chance alone; it seems so for the
    shifted Y as well, which is why that is held against. The error is the standard error over
    the shifts.
    """

    name = "outrank"
    title = "OutRank"
    summary = "Says how much less unsure of the outcome one is when one knows the column."
    result = ColumnScores
    parameters = (
        Parameter("bins", "Bins", "int", 16, "Parts that numbers fall into.", low=2, high=256),
        Parameter("shifts", "Shifts", "int", 10, "Random shifts of Y.", low=2, high=200),
        Parameter(
            "of",
            "Outcome",
            "choice",
            "label",
            "Y: the label, where there is one, or what the model predicts.",
            choices=("label", "prediction"),
        ),
    )
    paper = "skrlj2023outrank"
    caveat = (
        "Looks at the data, one column at a time: not at how the model uses it, nor at what only "
        "two columns together tell. Rows are shuffled first, so that an ordered table is like any "
        "other; empty cells are a value of their own (our definitions)."
    )
    unit = "bits"
    needs_model = False
    takes_labels = True
    takes_target = False
    most_rows = 20_000
    steps_told = "columns"

    def cost(
        self,
        model: LoadedModel | None,
        rows: Rows,
        parameters: Mapping[str, Value],
        column: int | None = None,
    ) -> Cost:
        """Each row once where the model is asked, else nothing."""
        return Cost(len(rows) if model is not None and _of_prediction(rows, parameters) else 0)

    def steps(self, rows: Rows, parameters: Mapping[str, Value]) -> int:
        """One for each column."""
        return len(rows.spec.columns)

    def measure(self, run: Run) -> Found:
        """Return values ``(columns,)`` in bits."""
        bins, shifts = int(run.parameters["bins"]), int(run.parameters["shifts"])
        draws = np.random.default_rng([run.seed % 2**64, len(run.rows)])
        order = draws.permutation(len(run.rows))
        outcome = _outcome(run, bins)[order]
        places = draws.integers(1, len(order), size=shifts)
        found = []
        for index, column in enumerate(run.rows.spec.columns):
            cells = run.rows.cells[order, index]
            codes = binned(cells, bins) if column.kind == "number" else codes_of(cells)
            own = conditional_entropy(outcome, codes)
            by_chance = [conditional_entropy(np.roll(outcome, k), codes) for k in places]
            found.append(np.array(by_chance) - own)
            run.passes.step()
        gains = np.stack(found, axis=1)  # (shifts, columns)
        spread = gains.std(axis=0, ddof=1) / np.sqrt(shifts)
        return Found(
            {"values": gains.mean(axis=0).astype(np.float32), "error": spread.astype(np.float32)},
            told={
                "outcome": "prediction" if _of_prediction(run.rows, run.parameters) else "label",
                "entropy": entropy(outcome),
            },
        )


def _of_prediction(rows: Rows, parameters: Mapping[str, Value]) -> bool:
    return parameters["of"] == "prediction" or rows.truth is None


def _outcome(run: Run, bins: int) -> np.ndarray:
    """Return what is to be known of each row as a code, int64 ``(n,)``."""
    regression = run.rows.spec.task == "regression"
    if not _of_prediction(run.rows, run.parameters):
        truth = run.rows.truth
        return binned(truth, bins) if regression else codes_of(truth)
    if run.loaded is None and run.rows.truth is not None:
        raise InputError("OutRank of the prediction asks a model; name one, or take of='label'")
    if run.loaded is None:
        raise InputError("OutRank needs an outcome: name the label's column, or a model")
    logits = run.logits(run.features())
    if regression:
        return binned(logits[:, 0].double().numpy(), bins)
    return outcomes_of(logits, run.model.activation)


def binned(values: np.ndarray | None, bins: int) -> np.ndarray:
    """Return the quantile part that each number falls into, int64 ``(n,)``; empty is its own."""
    found = np.asarray(values, dtype=np.float64)
    seen = found[~np.isnan(found)]
    if not len(seen):
        return np.zeros(len(found), dtype=np.int64)
    inner = np.linspace(0, 1, bins + 1)[1:-1]
    edges = np.unique(np.quantile(seen, inner, method="inverted_cdf"))
    return np.where(np.isnan(found), len(edges) + 1, np.searchsorted(edges, found))


def codes_of(values: np.ndarray | None) -> np.ndarray:
    """Return codes from 0 for whatever stands in a column, int64 ``(n,)``; empty is its own."""
    return np.unique(np.asarray(values), return_inverse=True)[1].astype(np.int64)


def entropy(codes: np.ndarray) -> float:
    """Return H in bits, from how frequent each code is.

    >>> entropy(np.array([0, 0, 1, 1]))
    1.0
    """
    counts = np.bincount(codes)
    shares = counts[counts > 0] / len(codes)
    return float(-(shares * np.log2(shares)).sum())


def conditional_entropy(outcome: np.ndarray, codes: np.ndarray) -> float:
    """Return H(outcome | codes) = H(both) − H(codes), in bits.

    >>> conditional_entropy(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))
    1.0
    """
    return entropy(codes * (int(outcome.max()) + 1) + outcome) - entropy(codes)
