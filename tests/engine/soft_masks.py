"""RISE's masks, derived again in float64."""

from __future__ import annotations

from math import ceil

import numpy as np


def enlarged(cells: int, length: int) -> np.ndarray:
    """Bilinear weights from cells to pixels, ``(length, cells)``; edges are carried on."""
    weights = np.zeros((length, cells))
    for pixel in range(length):
        at = np.clip((pixel + 0.5) * cells / length - 0.5, 0, cells - 1)
        low = int(at)
        weights[pixel, low] += 1 - (at - low)
        weights[pixel, min(low + 1, cells - 1)] += at - low
    return weights


def soft_masks(seed: int, count: int, cells: int, keep: float, side: int) -> np.ndarray:
    """float64 ``(count, side, side)``."""
    cell = ceil(side / cells)
    weights = enlarged(cells, (cells + 1) * cell)
    found = []
    for index in range(count):
        draw = np.random.default_rng([seed, index])
        grid = (draw.random((1, cells, cells)) < keep)[0]
        top, left = int(draw.integers(cell)), int(draw.integers(cell))
        large = weights @ grid @ weights.T
        found.append(large[top : top + side, left : left + side])
    return np.stack(found)
