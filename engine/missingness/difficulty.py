"""How hard a patch is to guess from its surroundings."""

from __future__ import annotations

import numpy as np

from engine.masking.cells import Grid, mean_of_cells


def difficulty(colours: np.ndarray, grid: Grid) -> np.ndarray:
    """Return how far each patch is from a blend of its borders; our definition.

    Every pixel of a patch is guessed as the mean of two straight lines: from the pixel left of
    the patch to the one right of it, and from the one above to the one below. At an edge of the
    picture the one neighbour that is there stands for both; without any, the picture's mean.

    Args:
        colours: ``(height, width, channels)``.
        grid: rows and columns of patches, no more than pixels.

    Returns:
        float64 ``grid``: mean squared error over pixels and channels.
    """
    values = colours.astype(np.float64)
    across = _guessed(values, grid[1])
    down = _guessed(values.transpose(1, 0, 2), grid[0])
    guesses = [across, None if down is None else down.transpose(1, 0, 2)]
    there = [guess for guess in guesses if guess is not None]
    guess = np.mean(there, axis=0) if there else values.mean(axis=(0, 1))
    return mean_of_cells(((values - guess) ** 2).mean(axis=-1), grid)


def _guessed(values: np.ndarray, count: int) -> np.ndarray | None:
    """Guess along the second axis from the pixels beside each cell; None for a single cell."""
    length = values.shape[1]
    if count == 1:
        return None
    places = np.arange(length)
    starts = -(-np.arange(count + 1) * length // count)  # first pixel of each cell
    cell = places * count // length
    before, after = starts[cell] - 1, starts[cell + 1]
    share = (places - before) / (after - before)
    left = np.where(before >= 0, before, after)
    right = np.where(after < length, after, before)
    weight = share[None, :, None]
    return np.asarray(values[:, left] * (1 - weight) + values[:, right] * weight)
