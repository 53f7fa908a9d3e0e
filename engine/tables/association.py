"""How strongly columns go together: one number for every pair, whatever their kinds."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np

from engine.models.rows import Rows


def association(rows: Rows, step: Callable[[], None] = lambda: None) -> np.ndarray:
    """Return how strongly every two columns go together, float64 ``(columns, columns)``.

    Between numbers Spearman's rank correlation, −1 … 1; between categories Cramér's V (without
    correction) and between a number and a category the correlation ratio η, both 0 … 1. A
    column that never changes goes with none. Empty numbers count as the median, empty
    categories as one of their own (our definition).

    Args:
        rows: what stands in the columns.
        step: called for each pair of columns; there are ``pairs`` of them.
    """
    is_number = [column.kind == "number" for column in rows.spec.columns]
    found = np.eye(len(is_number))
    numbers = np.flatnonzero(is_number)
    found[np.ix_(numbers, numbers)] = spearman(rows.filled[:, numbers])
    np.fill_diagonal(found, 1.0)
    parts = [
        None if number else np.unique(cells, return_inverse=True)[1]
        for number, cells in zip(is_number, rows.cells.T, strict=True)
    ]
    for i, j in combinations(range(len(parts)), 2):
        one, other = parts[i], parts[j]
        if one is not None and other is not None:
            found[i, j] = found[j, i] = cramers_v(one, other)
        elif one is not None:
            found[i, j] = found[j, i] = correlation_ratio(one, rows.filled[:, j])
        elif other is not None:
            found[i, j] = found[j, i] = correlation_ratio(other, rows.filled[:, i])
        step()
    return found


def pairs(columns: int) -> int:
    """Return how many pairs of columns there are."""
    return columns * (columns - 1) // 2


def spearman(values: np.ndarray) -> np.ndarray:
    """Return the rank correlation of the columns of ``(n, k)``; 0 where a column is constant."""
    from scipy.stats import rankdata

    if not values.shape[1]:
        return np.zeros((0, 0))
    ranks = rankdata(values, axis=0)
    centred = ranks - ranks.mean(axis=0)
    lengths = np.sqrt((centred**2).sum(axis=0))
    units = centred / np.where(lengths > 0, lengths, np.inf)
    return np.clip(units.T @ units, -1.0, 1.0)


def cramers_v(one: np.ndarray, other: np.ndarray) -> float:
    """Return Cramér's V of two columns of codes from 0, int64 ``(n,)`` each.

    χ² / n is Σ n_ij² / (n_i n_j) − 1 over the pairs that meet: never more than n of them.
    """
    counts, others = np.bincount(one), np.bincount(other)
    freedom = min(len(counts), len(others)) - 1
    if not freedom:
        return 0.0
    met, times = np.unique(one * len(others) + other, return_counts=True)
    expected = counts[met // len(others)] * others[met % len(others)]
    apart = float((times**2 / expected).sum()) - 1.0
    return float(np.sqrt(np.clip(apart / freedom, 0.0, 1.0)))


def correlation_ratio(codes: np.ndarray, values: np.ndarray) -> float:
    """Return η of a category, codes from 0, int64 ``(n,)``, and a number ``(n,)``.

    Its square is the share of the number's variance that lies between the categories.
    """
    centred = values - values.mean()
    total = float((centred**2).sum())
    if not total:
        return 0.0
    between = (np.bincount(codes, centred) ** 2 / np.bincount(codes)).sum()
    return float(np.sqrt(np.clip(between / total, 0.0, 1.0)))


def grouped(strengths: np.ndarray, threshold: float) -> np.ndarray:
    """Join columns that go together; return the group of each, int64 ``(columns,)``, from 0.

    Average linkage on 1 − |strength|: two groups become one while the mean strength between
    their columns is at least the threshold (our definition).
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    if len(strengths) < 2:
        return np.zeros(len(strengths), dtype=np.int64)
    apart = 1.0 - np.abs(strengths)
    np.fill_diagonal(apart, 0.0)
    tree = linkage(squareform((apart + apart.T) / 2, checks=False), "average")
    joined = fcluster(tree, 1.0 - threshold, "distance")
    return np.unique(joined, return_inverse=True)[1].astype(np.int64)
