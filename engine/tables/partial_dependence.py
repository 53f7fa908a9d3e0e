"""Partial dependence (friedman2001greedy)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from engine.models.rows import Rows
from engine.parameters import Parameter, Value
from engine.table_results import Effects
from engine.tables.curves import curves, grid_of
from engine.tables.measure import Found, Measure, Run

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

    The error is the standard error of that mean over the rows. Rows differ more in their level
    than in how they move: of the step between the highest and the lowest point, the standard
    error is told on its own ("difference_error").
    """

    name = "partial-dependence"
    title = "Partial dependence"
    summary = "Sets one column to one value after the other and averages the score over the rows."
    result = Effects
    parameters: ClassVar[tuple[Parameter, ...]] = (POINTS,)
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
        return self.found(run, grid, curves(run, column, grid))

    def found(self, run: Run, grid: np.ndarray, lines: np.ndarray) -> Found:
        """Return the mean of lines ``(rows, points)``, and how sure it is."""
        values = lines.mean(axis=0)  # (points,)
        return Found(
            {
                "grid": grid,
                "values": values.astype(np.float32),
                "error": standard_error(lines).astype(np.float32),
                "density": run.rows.cells[:, run.column or 0],
            },
            told={"difference_error": difference_error(lines)},
        )


def difference_error(lines: np.ndarray) -> float:
    """Return the standard error of the mean step between highest and lowest point, row by row.

    Args:
        lines: ``(rows, points)``.
    """
    mean = lines.mean(axis=0)
    return float(standard_error(lines[:, mean.argmax()] - lines[:, mean.argmin()]))


def standard_error(samples: np.ndarray) -> np.ndarray:
    """Return the standard error of the mean over the first axis, ``(n, …)`` → ``(…)``."""
    return np.asarray(samples.std(axis=0, ddof=1) / np.sqrt(len(samples)))
