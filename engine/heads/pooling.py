"""Maps from patches to patches, brought to one size for all layers of a model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.head_results import HeadMaps
from engine.heads.places import places_of, weights_of

MOST = 7  # cells along each side: maps of at most 49 × 49


def common_grid(grids: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the grid that all layers' maps are brought to: the smallest, at most 7 × 7.

    >>> common_grid([(14, 14)]), common_grid([(10, 10), (5, 5)])
    ((7, 7), (5, 5))
    """
    rows, columns = (min(MOST, *(grid[axis] for grid in grids)) for axis in (0, 1))
    return rows, columns


def pooled(maps: HeadMaps, layer: int, grid: tuple[int, int]) -> np.ndarray:
    """Bring one layer's maps to a coarser grid, by area: keys are summed, queries averaged.

    Where layers attend within windows, each window's map stands at the places of its tokens.

    Returns:
        float64 ``(heads, rows × columns, rows × columns)``; a row sums to the share of the
        attention that goes to patches.
    """
    places = places_of(maps, layer)
    weights = weights_of(maps, layer, places)
    shares = np.kron(
        *(_shares(fine, coarse) for fine, coarse in zip(places.grid, grid, strict=True))
    )  # (patches, cells)
    there = (places.patches >= 0)[:, :, None]
    keys = shares[np.maximum(places.patches, 0)] * there  # (windows, slots, cells)
    queries = keys / shares.sum(axis=0)
    return _joined(queries, weights @ keys[:, None])


def _joined(queries: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Sum what windows give, ``(windows, heads, slots, cells)`` → ``(heads, cells, cells)``."""
    flat = given.swapaxes(0, 1).reshape(given.shape[1], -1, given.shape[-1])
    return np.asarray(queries.reshape(-1, queries.shape[-1]).T @ flat)


def _shares(fine: int, coarse: int) -> np.ndarray:
    """Return which share of each fine cell lies in each coarse one, ``(fine, coarse)``.

    >>> _shares(3, 2).tolist()
    [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]]
    """
    edges = np.arange(coarse + 1) * fine / coarse
    cells = np.arange(fine)[:, None]
    return np.clip(np.minimum(edges[1:], cells + 1) - np.maximum(edges[:-1], cells), 0, 1)
