"""Partial dependence (friedman2001greedy)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.attribution.parameters import Parameter, Value
from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from engine.table_results import Effects
from engine.tables.curves import curves, grid_of
from engine.tables.measure import Found, Measure, Run
from engine.tables.rows import Rows

POINTS = Parameter(
    "points",
    "Points",
    "int",
    20,
    "Values that the column is set to, at quantiles; of a category, all of them.",
    low=2,
    high=200,
)


class PartialDependence(Measure):
    """The mean score over all rows, one column set to each value in turn.

    The error is the standard error of that mean over the rows.
    """

    name = "partial-dependence"
    title = "Partial dependence"
    summary = "Sets one column to one value after the other and averages the score over the rows."
    result = Effects
    parameters = (POINTS,)
    paper = "friedman2001greedy"
    caveat = (
        "Sets the column also in rows where that value never stands: where columns go together, "
        "it asks about rows that do not exist. Accumulated effects do not."
    )
    unit = "mean {number}"
    takes_column = True
    most_rows = 1000

    def cost(
        self,
        model: LoadedModel | None,
        rows: Rows,
        parameters: Mapping[str, Value],
        column: int | None = None,
    ) -> Cost:
        """Every row once for each value."""
        return Cost(len(rows) * len(grid_of(rows, column or 0, int(parameters["points"]))))

    def measure(self, run: Run) -> Found:
        """Return the curve ``(points,)`` in the unit of the score."""
        column = run.column or 0
        grid = grid_of(run.rows, column, int(run.parameters["points"]))
        lines = curves(run, column, grid)
        return Found(
            {
                "grid": grid,
                "values": lines.mean(axis=0).astype(np.float32),
                "error": standard_error(lines).astype(np.float32),
                "density": run.rows.cells[:, column],
            }
        )


def standard_error(samples: np.ndarray) -> np.ndarray:
    """Return the standard error of the mean over the first axis, ``(n, …)`` → ``(…)``."""
    return np.asarray(samples.std(axis=0, ddof=1) / np.sqrt(len(samples)))
