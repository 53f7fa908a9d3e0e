"""Where the slots of a layer's windows lie on its grid of patches, and what they attend to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.head_results import HeadMaps


@dataclass(frozen=True, eq=False)
class Places:
    """One layer's slots.

    Attributes:
        grid: rows and columns of its patches.
        tokens: the token in each slot, ``(windows, slots)``; −1 is padding.
        patches: the patch in each slot, row by row from 0, same shape; −1 where there is none.
    """

    grid: tuple[int, int]
    tokens: np.ndarray
    patches: np.ndarray

    @property
    def real(self) -> np.ndarray:
        """Which slots hold a token, bool ``(windows, slots)``."""
        return np.asarray(self.tokens >= 0)

    @property
    def pairs(self) -> np.ndarray:
        """Which query and key are both patches, bool ``(windows, slots, slots)``."""
        patch = self.patches >= 0
        return np.asarray(patch[:, :, None] & patch[:, None, :])

    def steps(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns from query to key, int ``(windows, slots, slots)`` each.

        They mean something where ``pairs`` is true.
        """
        rows, columns = np.divmod(np.maximum(self.patches, 0), self.grid[1])
        return (
            rows[:, None, :] - rows[:, :, None],
            columns[:, None, :] - columns[:, :, None],
        )

    def hops(self) -> np.ndarray:
        """Chebyshev distance of query and key, int ``(windows, slots, slots)``; −1 off the grid."""
        down, across = self.steps()
        return np.where(self.pairs, np.maximum(abs(down), abs(across)), -1)


def places_of(maps: HeadMaps, layer: int) -> Places:
    """Return the places of one layer."""
    rows, columns = maps.grids[layer]
    tokens = maps.layouts[layer]
    patches = tokens - maps.prefix[layer]
    there = (tokens >= 0) & (patches >= 0) & (patches < rows * columns)
    return Places((rows, columns), tokens, np.where(there, patches, -1))


def weights_of(maps: HeadMaps, layer: int, places: Places) -> np.ndarray:
    """Return a layer's attention between its tokens, rows of sum 1.

    Padding is left out: what goes to it is shared out in proportion, its own rows are 0 (our
    definition, as in the rollout).

    Returns:
        float64 ``(windows, heads, slots, slots)``.
    """
    real = places.real
    within = (real[:, :, None] & real[:, None, :])[:, None]
    weights = maps.maps[layer].astype(np.float64) * within
    sums = weights.sum(axis=-1, keepdims=True)
    return np.asarray(weights / np.where(sums > 0, sums, 1))
