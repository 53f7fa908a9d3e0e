"""How strongly columns go together: one number for every pair, whatever their kinds."""

from __future__ import annotations

import numpy as np

from engine.tables.rows import Rows


def association(rows: Rows) -> np.ndarray:
    """Return how strongly every two columns go together, float64 ``(columns, columns)``.

    Between numbers Spearman's rank correlation, −1 … 1; between categories Cramér's V (without
    correction) and between a number and a category the correlation ratio η, both 0 … 1. A
    column that never changes goes with none. Empty numbers count as the median, empty
    categories as one of their own (our definition).
    """
    kinds = np.array([column.kind == "number" for column in rows.spec.columns])
    numbers, categories = np.flatnonzero(kinds), np.flatnonzero(~kinds)
    found = np.zeros((len(kinds), len(kinds)))
    values = rows.filled[:, numbers]  # (n, numbers)
    levels, sizes = one_hot(rows.cells[:, categories])  # (n, levels)
    found[np.ix_(numbers, numbers)] = spearman(values)
    if len(categories):
        found[np.ix_(categories, categories)] = cramers_v(levels, sizes)
    if len(categories) and len(numbers):
        ratios = correlation_ratio(levels, sizes, values)
        found[np.ix_(categories, numbers)] = ratios
        found[np.ix_(numbers, categories)] = ratios.T
    np.fill_diagonal(found, 1.0)
    return found


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


def one_hot(codes: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Return a column of 0 and 1 for each category that occurs, and how many each column has.

    Args:
        codes: float64 ``(n, columns)``, NaN for empty, which is a category too.
    """
    parts, sizes = [np.zeros((len(codes), 0))], []
    for column in codes.T:
        _, places = np.unique(column, return_inverse=True)
        parts.append(np.eye(places.max() + 1)[places])
        sizes.append(parts[-1].shape[1])
    return np.concatenate(parts, axis=1), sizes


def cramers_v(levels: np.ndarray, sizes: list[int]) -> np.ndarray:
    """Return Cramér's V of every two columns, from their levels ``(n, levels)``."""
    together = levels.T @ levels  # how often two levels meet
    counts = np.diag(together)
    expected = np.outer(counts, counts) / len(levels)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    parts = (together - expected) ** 2 / expected
    chi2 = np.add.reduceat(np.add.reduceat(parts, starts, axis=0), starts, axis=1)
    freedom = np.minimum.outer(sizes, sizes) - 1
    return np.sqrt(np.clip(chi2 / len(levels) / np.where(freedom > 0, freedom, np.inf), 0.0, 1.0))


def correlation_ratio(levels: np.ndarray, sizes: list[int], values: np.ndarray) -> np.ndarray:
    """Return η of every category and number, ``(categories, numbers)``.

    Its square is the share of the number's variance that lies between the categories.
    """
    centred = values - values.mean(axis=0)
    sums = levels.T @ centred  # (levels, numbers)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    between = np.add.reduceat(sums**2 / levels.sum(axis=0)[:, None], starts, axis=0)
    total = (centred**2).sum(axis=0)
    return np.sqrt(np.clip(between / np.where(total > 0, total, np.inf), 0.0, 1.0))


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
