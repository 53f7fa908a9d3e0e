"""Accumulated local effects, ALE (apley2020visualizing)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from engine.models.rows import Rows
from engine.parameters import Value
from engine.table_results import Effects
from engine.tables.curves import grid_of
from engine.tables.measure import Found, Measure, Run
from engine.tables.partial_dependence import POINTS


class AccumulatedEffects(Measure):
    """What small steps of a column do to the rows that stand there, added up.

    Numbers are divided at quantiles; within each part the rows that lie in it are moved from its
    one end to its other. Of categories, rows are moved to the category before and after theirs, of
    those that stand in some row; what no row tells of is left out. The mean over the rows is 0. The
    error is the standard error over the rows, those of single steps added up as if independent; a
    step that one row alone tells of gets the mean spread of the others (our definition).
    """

    name = "accumulated-effects"
    title = "Accumulated local effects (ALE)"
    summary = "Moves each row a little along one column and adds up what that does to the score."
    result = Effects
    parameters = (POINTS,)
    paper = "apley2020visualizing"
    caveat = (
        "Stays with rows that exist, also where columns go together. Categories are taken in "
        "the order in which the model knows them (our definition; the paper orders them by "
        "likeness): of categories without an order, hold only neighbours against each other."
    )
    unit = "{number}, difference to the mean"
    takes_column = True
    most_rows = 5000

    def cost(
        self,
        model: LoadedModel | None,
        rows: Rows,
        parameters: Mapping[str, Value],
        column: int | None = None,
    ) -> Cost:
        """Each row at both ends of its part; of a category, of two steps."""
        category = rows.spec.columns[column or 0].kind == "category"
        return Cost(len(rows) * (4 if category else 2))

    def measure(self, run: Run) -> Found:
        """Return the curve ``(points,)`` in the unit of the score."""
        column = run.column or 0
        values = run.rows.cells[:, column]
        places = np.flatnonzero(~np.isnan(values))
        category = run.rows.spec.columns[column].kind == "category"
        grid = grid_of(run.rows, column, int(run.parameters["points"]))
        if category and len(places):
            grid = np.unique(values[places])
        rows, steps = (_neighbours if category else _parts)(values[places], grid)
        rows = places[rows]
        differences = _differences(run, column, grid, rows, steps)
        shares = _shares(values[places], grid, category=category)
        curve, error = accumulate(differences, steps, shares)
        return Found(
            {
                "grid": grid,
                "values": curve.astype(np.float32),
                "error": error.astype(np.float32),
                "density": values,
            },
            told={"unseen": _unseen(run.rows, column, values[places])} if category else {},
        )


def _unseen(rows: Rows, column: int, codes: np.ndarray) -> list[str]:
    """Return the categories that stand in no row."""
    return [
        name for code, name in enumerate(rows.spec.columns[column].categories) if code not in codes
    ]


def _parts(values: np.ndarray, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and the step that each of them tells of: from one point to the next."""
    if len(grid) < 2:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    steps = np.clip(np.searchsorted(grid, values) - 1, 0, len(grid) - 2)
    return np.arange(len(values)), steps


def _neighbours(values: np.ndarray, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a category tell of the step to the next one, and of that from the one before."""
    codes = np.searchsorted(grid, values)
    onwards, back = np.flatnonzero(codes < len(grid) - 1), np.flatnonzero(codes > 0)
    return np.concatenate([onwards, back]), np.concatenate([codes[onwards], codes[back] - 1])


def _shares(values: np.ndarray, grid: np.ndarray, *, category: bool) -> np.ndarray:
    """Return how much each point counts in the mean; ``(points,)``, they add up to 1.

    Of a number, half of each part's rows count for either end.
    """
    if category:
        counts = np.bincount(np.searchsorted(grid, values), minlength=len(grid)).astype(float)
    else:
        parts = np.bincount(_parts(values, grid)[1], minlength=max(0, len(grid) - 1))
        counts = (
            (np.pad(parts, (0, 1)) + np.pad(parts, (1, 0))) / 2 if len(grid) > 1 else np.ones(1)
        )
    return counts / max(1.0, counts.sum())


def _differences(
    run: Run, column: int, grid: np.ndarray, rows: np.ndarray, steps: np.ndarray
) -> np.ndarray:
    """Return what each step does to the score of each row that tells of it, ``(k,)``."""
    features = run.features()
    blocks = torch.from_numpy(run.rows.encoded(column, grid)).to(features)  # (points, width)
    place = run.rows.block(column)
    # Each row comes twice, one after the other: at the start of its step and at its end.
    origins = torch.from_numpy(np.repeat(rows, 2)).to(features.device)
    ends = torch.from_numpy(np.stack([steps, steps + 1], axis=1).ravel()).to(features.device)

    def batch(start: int, stop: int) -> torch.Tensor:
        moved = features[origins[start:stop]]
        moved[:, place] = blocks[ends[start:stop]]
        return moved

    if not len(rows):
        return np.empty(0)
    scores = run.scores(len(origins), batch).reshape(-1, 2)
    return scores[:, 1] - scores[:, 0]


def accumulate(
    differences: np.ndarray, steps: np.ndarray, shares: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Add up the mean of each step's differences, and take the mean off.

    Args:
        differences: ``(k,)``.
        steps: the step that each belongs to, ``(k,)``; a step that none tells of is 0.
        shares: how much each point counts in the mean, ``(points,)``.

    Returns:
        The curve and its standard error, float64 ``(points,)``.
    """
    count = len(shares) - 1
    told = np.bincount(steps, minlength=count)[:count]
    many = np.maximum(told, 1)
    means = np.bincount(steps, differences, count)[:count] / many
    squares = np.bincount(steps, (differences - means[steps]) ** 2, count)[:count]
    spreads = squares / np.maximum(told - 1, 1)
    usual = squares.sum() / max(1, int(np.maximum(told - 1, 0).sum()))
    spreads = np.where(told > 1, spreads, np.where(told == 1, usual, 0.0))
    added = np.tril(np.ones((len(shares), count)), -1)  # (points, steps)
    centred = added - shares @ added
    return centred @ means, np.sqrt(centred**2 @ (spreads / many))
