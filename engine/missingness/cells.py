"""Cells of a picture and the order in which they are hidden: the same for all fills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch

from engine.execution.draws import generator
from engine.masking.cells import Grid, enlarge
from engine.masking.regions import superpixels
from engine.models.loaded import LoadedModel

CellKind = Literal["blocks", "superpixels"]
Order = Literal["random", "most-salient", "least-salient"]
CELL_KINDS, ORDERS = get_args(CellKind), get_args(Order)


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of one picture, and when each of them is hidden.

    Attributes:
        of_pixel: int ``(height, width)``, the cell of each pixel.
        rank: int ``(cells,)``, the place of each cell in the order, 0 is hidden first.
    """

    of_pixel: np.ndarray
    rank: np.ndarray

    def counts(self, shares: Sequence[float]) -> np.ndarray:
        """Return how many cells to hide, int64 ``(shares,)``: those nearest to each share."""
        areas = np.bincount(self.of_pixel.ravel(), minlength=len(self.rank))
        hidden = np.concatenate([[0], areas[np.argsort(self.rank)].cumsum()]) / areas.sum()
        return np.abs(hidden - np.asarray(shares, dtype=np.float64)[:, None]).argmin(axis=1)

    def keep(self, shares: Sequence[float]) -> np.ndarray:
        """Return masks, bool ``(shares, height, width)``; True = stays. Each hides the last's."""
        return np.asarray(self.rank[self.of_pixel] >= self.counts(shares)[:, None, None])


def random_rank(count: int, seed: int, index: int) -> np.ndarray:
    """Return a random order of cells, int64 ``(count,)``: that of the generator "uniform"."""
    return generator(seed, index).random(count).argsort().argsort()


def salient_rank(
    of_pixel: np.ndarray, saliency: np.ndarray, count: int, *, least: bool
) -> np.ndarray:
    """Return the order of cells by their mean saliency, int64 ``(count,)``; ties as numbered.

    Args:
        of_pixel: int ``(height, width)``, the cell of each pixel.
        saliency: ``(height, width)``.
        count: of cells.
        least: the least salient first.
    """
    cells = of_pixel.ravel()
    sums = np.bincount(cells, saliency.ravel().astype(np.float64), count)
    means = sums / np.bincount(cells, minlength=count)
    order = np.argsort(means if least else -means, kind="stable")
    rank = np.empty(count, dtype=np.int64)
    rank[order] = np.arange(count)
    return rank


def cells_of(model: LoadedModel, x: torch.Tensor, kind: str, grid: Grid) -> np.ndarray:
    """Return the cell of each pixel, int ``(height, width)``, numbered from 0 without gaps.

    Args:
        model: the model.
        x: ``(1, channels, height, width)``, prepared.
        kind: "blocks" or "superpixels".
        grid: rows and columns of blocks; there are at most as many superpixels.
    """
    count = grid[0] * grid[1]
    if kind == "blocks":
        return enlarge(np.arange(count).reshape(grid), *x.shape[-2:])
    found = superpixels(model, x, count).numpy()
    return found.astype(np.uint16 if found.max() < 2**16 else np.int64)
