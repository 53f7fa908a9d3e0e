"""From the cells of a grid to pixels, and back."""

from __future__ import annotations

import numpy as np

Grid = tuple[int, int]


def enlarge(cells: np.ndarray, height: int, width: int) -> np.ndarray:
    """Give every pixel what its cell has: ``(…, rows, columns)`` → ``(…, height, width)``.

    Pixel j of n lies in cell ⌊j · cells / n⌋, so cells differ in size by one pixel at the most.

    >>> enlarge(np.array([[True, False]]), 1, 5).astype(int).tolist()
    [[1, 1, 1, 0, 0]]
    """
    rows, columns = (
        np.arange(pixels) * count // pixels
        for pixels, count in zip((height, width), cells.shape[-2:], strict=True)
    )
    return np.asarray(cells[..., rows[:, None], columns])


def mean_of_cells(values: np.ndarray, grid: Grid) -> np.ndarray:
    """Average over the pixels of each cell: float64 ``(…, height, width)`` → ``(…, *grid)``.

    Along an axis with fewer pixels than cells, each cell gets the pixel that it lies in.
    """
    down, across = (
        _weights(count, pixels) for count, pixels in zip(grid, values.shape[-2:], strict=True)
    )
    return np.asarray(down @ values.astype(np.float64) @ across.T)


def commonest_of_cells(labels: np.ndarray, grid: Grid) -> np.ndarray:
    """Return the label that most pixels of each cell have, the lowest of equals.

    Args:
        labels: whole numbers ``(height, width)``.
        grid: rows and columns of cells, no more than pixels.

    Returns:
        int64 ``grid``.
    """
    known, number = np.unique(labels, return_inverse=True)
    cell = enlarge(np.arange(grid[0] * grid[1]).reshape(grid), *labels.shape)
    counts = np.bincount(
        (cell * len(known)).ravel() + number.ravel(), minlength=grid[0] * grid[1] * len(known)
    )
    return np.asarray(known[counts.reshape(*grid, -1).argmax(axis=-1)], dtype=np.int64)


def _weights(count: int, pixels: int) -> np.ndarray:
    """Return what each pixel counts in each cell, ``(count, pixels)``; rows sum to 1."""
    if pixels < count:
        return np.eye(pixels)[np.arange(count) * pixels // count]
    member = np.arange(pixels) * count // pixels == np.arange(count)[:, None]
    return np.asarray(member / member.sum(axis=1, keepdims=True))
