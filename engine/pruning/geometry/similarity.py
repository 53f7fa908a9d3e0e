"""Which networks and benchmarks are alike: a map of them, and the tree that joins them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import InputError, MethodError
from engine.heads.mapping import principal, umapped

_FEWEST = 4  # rows that UMAP takes


@dataclass(frozen=True, eq=False)
class SimilarityMap:
    """Rows on a plane.

    Attributes:
        places: float64 ``(rows, 2)``.
        how: "UMAP" (mcinnes2018umap) or "PCA", where umap-learn is missing or rows are few.
        distances: float64 ``(rows, rows)``, of the rows themselves, not of their places.
        tree: int32 ``(rows − 1, 2)``: the edges that join all rows over the least distance.
        tree_lengths: float64 ``(rows − 1,)``.
    """

    places: np.ndarray
    how: str
    distances: np.ndarray
    tree: np.ndarray
    tree_lengths: np.ndarray


def vectors_of(measures: Sequence[np.ndarray]) -> np.ndarray:
    """Return one vector for each network and benchmark: all its pictures' measures.

    Units differ, so each measure is divided by its standard deviation over everything (our
    definition); pictures with a measure that is not finite anywhere are left out of it.

    Args:
        measures: angle, norm and margin, each ``(rows, pictures)``.

    Returns:
        float64 ``(rows, up to 3 × pictures)``.
    """
    parts = []
    for measure in measures:
        there = measure[:, np.isfinite(measure).all(axis=0)].astype(np.float64)
        spread = float(there.std()) if there.size else 0.0
        parts.append(there / spread if spread > 0 else there)
    return np.concatenate(parts, axis=1)


def similarity_map(rows: np.ndarray, seed: int = 0) -> SimilarityMap:
    """Lay rows out on a plane, and join them by their minimum spanning tree.

    Args:
        rows: finite, ``(rows, numbers)``.
        seed: of UMAP.

    Raises:
        InputError: no rows, or numbers that are not finite.
    """
    from scipy.sparse.csgraph import minimum_spanning_tree
    from scipy.spatial.distance import cdist

    if rows.ndim != 2 or not rows.size or not np.isfinite(rows).all():
        raise InputError(f"a map is of finite rows (n, numbers), not of shape {rows.shape}")
    distances = cdist(rows, rows)
    # A distance of 0 would be no edge; adding the same to all of them changes no tree.
    found = minimum_spanning_tree(distances + 1 - np.eye(len(rows))).tocoo()
    order = np.lexsort((found.col, found.row))
    tree = np.stack([found.row, found.col], axis=1)[order].astype(np.int32)
    places, how = _placed(rows, seed)
    return SimilarityMap(places, how, distances, tree, distances[tree[:, 0], tree[:, 1]])


def _placed(rows: np.ndarray, seed: int) -> tuple[np.ndarray, str]:
    if len(rows) >= _FEWEST:
        try:
            return umapped(rows, seed), "UMAP"
        except MethodError:  # not installed
            pass
    return principal(rows, 2)[0], "PCA"
