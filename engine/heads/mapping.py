"""From many numbers to two: principal components, or UMAP where it is installed."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from typing import Any

import numpy as np

from engine.errors import MethodError, one_line

_NEIGHBOURS = 15


def principal(rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first principal components of rows, and the share of the variance of each.

    A component's sign is such that its largest loading is positive.

    Args:
        rows: ``(n, features)``.
        count: of components; filled up with zeros where there are fewer.

    Returns:
        float64 ``(n, count)`` and ``(count,)``.
    """
    from scipy.linalg import eigh

    centred = rows.astype(np.float64) - rows.mean(axis=0, dtype=np.float64)
    wide = centred.shape[1] > centred.shape[0]
    gram = centred @ centred.T if wide else centred.T @ centred
    kept = min(count, *centred.shape)
    values, vectors = eigh(gram, subset_by_index=[len(gram) - kept, len(gram) - 1])
    values, vectors = np.maximum(values[::-1], 0), vectors[:, ::-1]
    total = float(np.square(centred).sum())
    found, shares = np.zeros((len(rows), count)), np.zeros(count)
    if total <= 0:
        return found, shares
    loadings = centred.T @ vectors if wide else vectors  # (features, kept), of any length
    peaks = loadings[np.abs(loadings).argmax(axis=0), np.arange(kept)]
    scores = vectors * np.sqrt(values) if wide else centred @ vectors
    found[:, :kept] = scores * np.where(peaks < 0, -1, 1)
    shares[:kept] = values / total
    return found, shares


def umapped(rows: np.ndarray, seed: int) -> np.ndarray:
    """Return UMAP's two coordinates (mcinnes2018umap), float64 ``(n, 2)``.

    Raises:
        MethodError: umap-learn is not installed, or there are fewer than four rows.
    """
    if len(rows) < 4:
        raise MethodError(f"UMAP needs 4 maps or more, there are {len(rows)}; PCA takes any number")
    made = need_umap().UMAP(
        n_neighbors=min(_NEIGHBOURS, len(rows) - 1),
        init="spectral" if len(rows) > 2 * _NEIGHBOURS else "random",
        random_state=seed,
        n_jobs=1,
    )
    return np.asarray(made.fit_transform(rows.astype(np.float32)), dtype=np.float64)


def need_umap() -> Any:
    """Import umap-learn.

    Raises:
        MethodError: it is not installed, with the command that mends it; or it is broken.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ImportWarning)  # parts of it need other packages
            return import_module("umap")
    except ModuleNotFoundError as error:
        missing = "umap-learn" if error.name == "umap" else str(error.name)
        raise MethodError(
            f"UMAP needs {missing}: {sys.executable} -m pip install 'umap-learn>=0.5.12,<0.6' "
            "(PCA needs nothing)"
        ) from None
    except Exception as error:  # a package that cannot be imported breaks in many ways
        raise MethodError(f"umap-learn cannot be imported ({one_line(error)})") from None
