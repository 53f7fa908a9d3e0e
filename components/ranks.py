"""Ranks, and how far two orders agree."""

from __future__ import annotations

import numpy as np


def places(values: np.ndarray) -> np.ndarray:
    """Return the place of each value among the others, 0 … 1; equal ones share theirs.

    Args:
        values: ``(n,)``; NaN stays NaN.

    Returns:
        float64 ``(n,)``; 0.5 where all are equal.
    """
    found = np.full(len(values), np.nan)
    there = np.isfinite(values)
    if not there.any():
        return found
    _, inverse, counts = np.unique(values[there], return_inverse=True, return_counts=True)
    middles = np.cumsum(counts) - (counts + 1) / 2  # mean rank of equal values, from 0
    low, high = middles[0], middles[-1]
    found[there] = 0.5 if high == low else ((middles - low) / (high - low))[inverse]
    return found


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's rank correlation of what stands in both; 0 where one is constant."""
    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < 2:
        return 0.0
    one, other = (places(v[both]) - places(v[both]).mean() for v in (first, second))
    size = np.sqrt((one @ one) * (other @ other))
    return float(one @ other / size) if size > 0 else 0.0
