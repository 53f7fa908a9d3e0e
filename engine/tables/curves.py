"""How the score of each row moves as one column is set to one value after the other."""

from __future__ import annotations

import numpy as np
import torch

from engine.models.rows import Rows
from engine.tables.measure import Run


def grid_of(rows: Rows, column: int, points: int) -> np.ndarray:
    """Return the values that a column is set to, float64 ``(≤ points,)``, ascending.

    Numbers: what stands at evenly spaced quantiles, each once (the extremes included), so that
    every point is a value of the table. Categories: the places of all of them.
    """
    found = rows.spec.columns[column]
    if found.kind == "category":
        return np.arange(len(found.categories), dtype=np.float64)
    values = rows.cells[:, column]
    seen = values[~np.isnan(values)]
    if not len(seen):
        return np.zeros(1)
    return np.unique(np.quantile(seen, np.linspace(0, 1, points), method="inverted_cdf"))


def weights_of(rows: Rows, column: int, grid: np.ndarray) -> np.ndarray:
    """Return the share of rows that each point of a grid stands for, float64 ``(points,)``.

    A number belongs to the first point that is not below it.
    """
    values = rows.cells[:, column]
    seen = values[~np.isnan(values)]
    places = np.clip(np.searchsorted(grid, seen), 0, len(grid) - 1)
    counts = np.bincount(places, minlength=len(grid))
    return counts / max(1, counts.sum())


def curves(run: Run, column: int, grid: np.ndarray) -> np.ndarray:
    """Return the score of every row at every point of a grid, float64 ``(rows, points)``."""
    features, points = run.features(), len(grid)
    blocks = torch.from_numpy(run.rows.encoded(column, grid)).to(features)  # (points, width)
    place = run.rows.block(column)

    def batch(start: int, stop: int) -> torch.Tensor:
        index = torch.arange(start, stop, device=features.device)
        rows = features[index // points]
        rows[:, place] = blocks[index % points]
        return rows

    return run.scores(len(features) * points, batch).reshape(-1, points)
