"""How dots that lie at the same place are spread, so that each is seen."""

from __future__ import annotations

import numpy as np

BINS = 140  # along x
REACH = 0.40  # of a band to each side of its middle
STEP = 0.07  # between two dots of one bin, where there is room


def heights(x: np.ndarray) -> np.ndarray:
    """Spread the dots of each band by how many lie at the same place.

    Dots of a band fall into bins along x; within a bin they are stacked from the middle
    outwards in the order of the rows: 0, +1, −1, +2 … steps.

    Args:
        x: ``(rows, bands)``.

    Returns:
        Heights, float64 ``(rows, bands)``; band 0 around 0, band 1 around 1 …
    """
    low, high = float(x.min(initial=0.0)), float(x.max(initial=0.0))
    bins = ((x - low) / ((high - low) or 1.0) * (BINS - 1)).round().astype(np.int64)
    keys = (bins + np.arange(x.shape[1]) * BINS).ravel()
    order = np.argsort(keys, kind="stable")
    _, first, counts = np.unique(keys[order], return_index=True, return_counts=True)
    within = np.empty(keys.size, dtype=np.int64)
    within[order] = np.arange(keys.size) - np.repeat(first, counts)
    steps = np.where(within % 2, (within + 1) // 2, -(within // 2)).reshape(x.shape)
    most = np.abs(steps).max(axis=0, initial=1)  # (bands,)
    return np.asarray(steps * np.minimum(STEP, REACH / most) + np.arange(x.shape[1]))
