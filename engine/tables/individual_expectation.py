"""Individual conditional expectation, ICE (goldstein2015peeking)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.attribution.parameters import Parameter, Value
from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from engine.table_results import Effects
from engine.tables.curves import curves, grid_of
from engine.tables.measure import Found, Measure, Run
from engine.tables.partial_dependence import POINTS, standard_error
from engine.tables.rows import Rows


class IndividualExpectation(Measure):
    """The score of each row, one column set to each value in turn; the mean is beside.

    Centred, each line starts at 0: what is shown is the difference to its first point.
    """

    name = "individual-expectation"
    title = "Individual conditional expectation (ICE)"
    summary = "Draws for each row how its score would move with one column."
    result = Effects
    parameters = (
        POINTS,
        Parameter("centred", "Centred", "flag", False, "Let every line start at 0."),
    )
    paper = "goldstein2015peeking"
    caveat = (
        "Each line goes through values that may never stand in such a row. Lines that cross tell "
        "that the column works together with others."
    )
    unit = "{number}"
    takes_column = True
    most_rows = 200
    limit = 200

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
        """Return lines ``(rows, points)`` in the unit of the score, and their mean."""
        column = run.column or 0
        grid = grid_of(run.rows, column, int(run.parameters["points"]))
        lines = curves(run, column, grid)
        if run.parameters["centred"]:
            lines = lines - lines[:, :1]
        return Found(
            {
                "grid": grid,
                "values": lines.mean(axis=0).astype(np.float32),
                "error": standard_error(lines).astype(np.float32),
                "lines": lines.astype(np.float32),
                "rows": run.rows.numbers,
                "density": run.rows.cells[:, column],
            },
            display={"centred": bool(run.parameters["centred"])},
        )
