"""Clusters of codes: k-means, their number chosen by how well they stand apart."""

from __future__ import annotations

import numpy as np

MOST = 9
_SAMPLE = 1000
_STARTS = 5


def clusters_of(codes: np.ndarray, seed: int) -> tuple[np.ndarray, float | None]:
    """Part codes into 2 to 9 clusters, the number that has the largest silhouette.

    Args:
        codes: ``(n, features)``.
        seed: of the first centres.

    Returns:
        int32 ``(n,)``, 0 the largest cluster (of equals the one met first); and the silhouette,
        −1 … 1, None where there are too few different codes to part.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    different = len(np.unique(codes, axis=0))
    best = np.zeros(len(codes), dtype=np.int64)
    score: float | None = None
    for count in range(2, min(MOST, different - 1) + 1):
        labels = KMeans(count, n_init=_STARTS, random_state=seed).fit_predict(codes)
        sample = _SAMPLE if len(codes) > _SAMPLE else None
        found = float(silhouette_score(codes, labels, sample_size=sample, random_state=seed))
        if score is None or found > score:
            best, score = labels, found
    return _by_size(best), score


def _by_size(labels: np.ndarray) -> np.ndarray:
    known, first, counts = np.unique(labels, return_index=True, return_counts=True)
    order = known[np.lexsort((first, -counts))]
    places = np.empty(int(known.max()) + 1, dtype=np.int32)
    places[order] = np.arange(len(order))
    return places[labels]
