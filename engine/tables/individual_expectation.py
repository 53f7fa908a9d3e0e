"""Individual conditional expectation, ICE (goldstein2015peeking)."""

from __future__ import annotations

import numpy as np

from engine.parameters import Parameter
from engine.tables.measure import Found, Run
from engine.tables.partial_dependence import POINTS, PartialDependence


class IndividualExpectation(PartialDependence):
    """The score of each row, one column set to each value in turn; the mean is beside.

    Centred, each line starts at 0: what is shown is the difference to its first point.
    """

    name = "individual-expectation"
    title = "Individual conditional expectation (ICE)"
    summary = "Draws for each row how its score would move with one column."
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
    most_rows = 200
    limit = 200

    def found(self, run: Run, grid: np.ndarray, lines: np.ndarray) -> Found:
        """Return lines ``(rows, points)`` in the unit of the score, and their mean."""
        centred = bool(run.parameters["centred"])
        if centred:
            lines = lines - lines[:, :1]
        mean = super().found(run, grid, lines)
        own = {"lines": lines.astype(np.float32), "rows": run.rows.numbers}
        return Found({**mean.arrays, **own}, mean.told, display={"centred": centred})
