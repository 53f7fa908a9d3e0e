"""Means with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np


@dataclass(frozen=True)
class Mean:
    """A mean over pictures with its 95 % interval (Student's t).

    Attributes:
        value, low, high: NaN of nothing; of a single one the interval is unbounded.
        count: of how many; values that are not a number are left out.
    """

    value: float
    low: float
    high: float
    count: int


def mean_of(values: np.ndarray) -> Mean:
    """Return the mean of what there is.

    >>> found = mean_of(np.array([1.0, 2.0, 3.0, float("nan")]))
    >>> found.value, round(found.low, 3), found.count
    (2.0, -0.484, 3)
    """
    from scipy.stats import t

    there = np.asarray(values, np.float64)
    there = there[np.isfinite(there)]
    count = len(there)
    if not count:
        return Mean(float("nan"), float("nan"), float("nan"), 0)
    value = float(there.mean())
    if count == 1:
        return Mean(value, -float("inf"), float("inf"), 1)
    half = float(t.ppf(0.975, count - 1)) * float(there.std(ddof=1)) / sqrt(count)
    return Mean(value, value - half, value + half, count)
