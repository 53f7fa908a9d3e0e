"""From numbers on cells to masks that hide exactly so many of them."""

from __future__ import annotations

import numpy as np

from engine.execution.draws import generator
from engine.masking.generators.generator import Wanted


def uniform_noise(wanted: Wanted, source: int = 0) -> np.ndarray:
    """Draw a number in [0, 1) for each cell, float64 ``(count, rows, columns)``.

    Args:
        wanted: the masks.
        source: number of the source; what is drawn from different ones is independent.
    """
    more = (source,) if source else ()
    drawn = [generator(wanted.seed, i, *more).random(wanted.grid) for i in range(wanted.count)]
    return np.stack(drawn)


def hide_lowest(wanted: Wanted, values: np.ndarray, ties: np.ndarray | None = None) -> np.ndarray:
    """Hide the cells with the lowest values, exactly as many as wanted.

    Args:
        wanted: the masks.
        values: ``(count, rows, columns)``, or ``(rows, columns)`` the same for all masks.
        ties: ``(count, rows, columns)``; where values are the same, the lowest of these go
            first. Without them, the first cell, row by row.

    Returns:
        bool ``(count, rows, columns)``; True = stays.
    """
    shape = (wanted.count, *wanted.grid)
    flat = np.broadcast_to(values, shape).reshape(wanted.count, wanted.cells)
    if ties is None:
        order = flat.argsort(axis=1, kind="stable")
    else:
        order = np.lexsort((ties.reshape(flat.shape), flat), axis=1)
    keep = np.ones(flat.shape, dtype=bool)
    np.put_along_axis(keep, order[:, : wanted.hide], False, axis=1)
    return keep.reshape(shape)


def mean_of_heads(scores: np.ndarray) -> np.ndarray:
    """Return scores ``(rows, columns)``, averaged over heads where there are several."""
    return np.asarray(scores.mean(axis=0) if scores.ndim == 3 else scores, dtype=np.float64)
