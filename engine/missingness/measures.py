"""What a study tells of answers: accuracy, class entropy, unchanged answers; with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2, sqrt

import numpy as np

from engine.execution.draws import generator
from engine.scores import share_of

RESAMPLES = 1000
_TAILS = (2.5, 97.5)


@dataclass(frozen=True)
class Tallied:
    """The measures of a study, by fill and share; float32.

    Attributes:
        accuracy, accuracy_error: ``(fills, shares)``, of the labelled pictures; NaN without any.
        accuracy_interval: ``(fills, shares, 2)``, 95 % by Wilson.
        entropy: ``(fills, shares)``, bits.
        entropy_interval: ``(fills, shares, 2)``, 95 % by resampling pictures.
        unchanged, unchanged_error, unchanged_interval: the same of answers that stay.
    """

    accuracy: np.ndarray
    accuracy_error: np.ndarray
    accuracy_interval: np.ndarray
    entropy: np.ndarray
    entropy_interval: np.ndarray
    unchanged: np.ndarray
    unchanged_error: np.ndarray
    unchanged_interval: np.ndarray


def tallied(
    predicted: np.ndarray, whole: np.ndarray, labels: np.ndarray, classes: int, seed: int
) -> Tallied:
    """Measure answers.

    Args:
        predicted: int ``(fills, shares, n)``, the answer to each masked picture.
        whole: int ``(n,)``, the answer to the whole picture.
        labels: int ``(n,)``, −1 where there is none.
        classes: how many there are.
        seed: of resampling.
    """
    known = labels >= 0
    right = predicted[..., known] == labels[known]
    drawn = resamples(predicted.shape[-1], seed)
    cells = predicted.reshape(-1, predicted.shape[-1])
    entropies = [entropy_with_interval(cell, classes, drawn) for cell in cells]
    grid = predicted.shape[:2]
    return Tallied(
        *_shares(right),
        np.array([value for value, _, _ in entropies], dtype=np.float32).reshape(grid),
        np.array([ends for _, *ends in entropies], dtype=np.float32).reshape(*grid, 2),
        *_shares(predicted == whole),
    )


def _shares(true: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return share, standard error and interval of bool ``(fills, shares, n)``."""
    grid = true.shape[:2]
    cells = true.reshape(grid[0] * grid[1], true.shape[2])
    found = [share_of(cell) for cell in cells]
    values = np.array([one.value for one in found], dtype=np.float32).reshape(grid)
    errors = np.array([standard_error(cell) for cell in cells], dtype=np.float32).reshape(grid)
    ends = np.array([(one.low, one.high) for one in found], dtype=np.float32)
    return values, errors, ends.reshape(*grid, 2)


def standard_error(values: np.ndarray) -> float:
    """Return the standard error of a mean; NaN of fewer than two values."""
    return float(values.std(ddof=1) / sqrt(len(values))) if len(values) > 1 else float("nan")


def class_entropy(counts: np.ndarray) -> np.ndarray:
    """Return the entropy of histograms in bits.

    Args:
        counts: ``(…, classes)``.

    Returns:
        float64 ``(…)``: 0 where one class gets all, log2(classes) where all get the same.

    >>> class_entropy(np.array([[4, 0], [2, 2]])).tolist()
    [0.0, 1.0]
    """
    share = counts / counts.sum(axis=-1, keepdims=True)
    logs = np.log2(share, out=np.zeros_like(share), where=share > 0)
    return np.asarray(-(share * logs).sum(axis=-1) + 0.0)


def resamples(count: int, seed: int) -> np.ndarray:
    """Draw pictures with replacement, int64 ``(1000, count)``."""
    return generator(seed, count).integers(count, size=(RESAMPLES, count))


def entropy_with_interval(
    predicted: np.ndarray, classes: int, drawn: np.ndarray
) -> tuple[float, float, float]:
    """Return a class entropy in bits with its 95 % interval.

    Resampling pictures lowers an entropy on average; the percentiles are moved up by as much,
    and stay within 0 … log2(classes). Our definition.

    Args:
        predicted: int ``(n,)``.
        classes: how many there are.
        drawn: int ``(resamples, n)``.
    """
    value = float(class_entropy(np.bincount(predicted, minlength=classes)))
    rows = np.arange(len(drawn))[:, None] * classes
    flat = (predicted[drawn] + rows).ravel()
    counts = np.bincount(flat, minlength=len(drawn) * classes).reshape(len(drawn), classes)
    again = class_entropy(counts)
    low, high = np.percentile(again, _TAILS) + value - again.mean()
    return value, max(0.0, min(low, value)), min(log2(classes), max(high, value))
