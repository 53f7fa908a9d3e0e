"""How often a model is right on an image set, what it mixes up, and whether it knows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np

from engine.results import Result

_Z = 1.959963984540054  # 95 %
BINS = 15


@dataclass(frozen=True)
class Share:
    """A share of right answers with its 95 % Wilson interval (wilson1927probable).

    Attributes:
        value, low, high: 0 … 1; value is NaN of nothing.
        count: of how many.
    """

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, eq=False)
class Shares:
    """Several shares, or changes of shares, each with its 95 % interval.

    Attributes:
        value, low, high: float64 ``(n,)``; value is NaN of nothing.
        count: int64 ``(n,)``, of how many.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray

    @classmethod
    def of(cls, found: Iterable[Share]) -> Shares:
        """Put shares together."""
        rows = [(one.value, one.low, one.high, one.count) for one in found]
        value, low, high, count = np.array(rows, dtype=np.float64).reshape(-1, 4).T
        return cls(value, low, high, count.astype(np.int64))


@dataclass(frozen=True, eq=False)
class Calibration:
    """Confidence against accuracy in bins of equal width (guo2017calibration).

    Attributes:
        count: int64 ``(bins,)``, pictures in each bin of confidence.
        confidence, accuracy: float64 ``(bins,)``, their means there; NaN in empty bins.
        error: the expected calibration error: mean |accuracy − confidence|, weighted by count.
    """

    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    error: float


@dataclass(frozen=True, eq=False)
class Scores(Result):
    """What a model said of every picture of a set.

    Attributes:
        labels: int32 ``(n,)``, the true class by the model's index; -1 where there is none.
        predicted: int32 ``(n,)``.
        confidence: float32 ``(n,)``, probability of the predicted class.
        truth: float32 ``(n,)``, probability of the true class; NaN where there is none.
        rank: int32 ``(n,)``, place of the true class, 0 the first; -1 where there is none.

    The manifest's ``source`` has the names of the pictures (``pictures``) and of the classes
    (``classes``); its ``outcome`` those that could not be read (``skipped``).
    """

    kind: ClassVar[str] = "scores"
    arrays: ClassVar[tuple[str, ...]] = ("labels", "predicted", "confidence", "truth", "rank")

    labels: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray
    truth: np.ndarray
    rank: np.ndarray

    @property
    def labelled(self) -> np.ndarray:
        """Which pictures have a label, bool ``(n,)``."""
        return np.asarray(self.labels >= 0)

    @property
    def right(self) -> np.ndarray:
        """Which were named right, bool ``(n,)``; False where there is no label."""
        return np.asarray(self.labels == self.predicted) & self.labelled

    def accuracy(self, top: int = 1) -> Share:
        """Return how often the true class is among the first ``top``."""
        return share_of(self.rank[self.labelled] < top)

    def confusion(self) -> np.ndarray:
        """Count pictures by true class (rows) and predicted class (columns), int64."""
        classes = len(self.manifest["source"]["classes"])
        table = np.zeros((classes, classes), dtype=np.int64)
        np.add.at(table, (self.labels[self.labelled], self.predicted[self.labelled]), 1)
        return table

    def calibration(self, bins: int = BINS) -> Calibration:
        """Hold confidence against accuracy; a confidence on an edge counts below it."""
        return calibration_of(self.confidence[self.labelled], self.right[self.labelled], bins)


def calibration_of(
    confidence: np.ndarray, right: np.ndarray, bins: int = BINS, *, equal_mass: bool = False
) -> Calibration:
    """Hold confidence against accuracy in bins; a confidence on an edge counts below it.

    Args:
        confidence: 0 … 1, ``(n,)``.
        right: bool ``(n,)``.
        bins: how many.
        equal_mass: bins of about as many pictures each, not of equal width; equal confidences
            stay together.
    """
    exact = np.asarray(confidence, dtype=np.float64)
    index = bins_of(exact, bins, equal_mass=equal_mass)
    count = np.bincount(index, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(index, exact, bins) / count
        share = np.bincount(index, right, bins) / count
    weight = count / max(1, count.sum())
    error = float(np.nansum(weight * np.abs(share - mean))) if count.any() else float("nan")
    return Calibration(count, mean, share, error)


def bins_of(confidence: np.ndarray, bins: int, *, equal_mass: bool = False) -> np.ndarray:
    """Return the bin of each confidence, from 0; int64 ``(n,)``. As in ``calibration_of``."""
    if equal_mass and len(confidence):
        edges = np.quantile(confidence, np.arange(1, bins) / bins, method="inverted_cdf")
        return np.asarray(np.searchsorted(edges, confidence, side="left"), dtype=np.int64)
    return np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)


def share_of(right: np.ndarray) -> Share:
    """Return the share of True with its 95 % Wilson interval.

    >>> found = share_of(np.array([True] * 9 + [False]))
    >>> round(found.low, 3), round(found.high, 3)
    (0.596, 0.982)
    """
    count = len(right)
    if not count:
        return Share(float("nan"), 0.0, 1.0, 0)
    share, z2 = float(np.mean(right)), _Z * _Z
    middle = share + z2 / (2 * count)
    half = _Z * sqrt(share * (1 - share) / count + z2 / (4 * count * count))
    scale = 1 + z2 / count
    low, high = (middle - half) / scale, (middle + half) / scale
    return Share(share, max(0.0, low), min(1.0, high), count)


def mean_of(values: np.ndarray) -> Share:
    """Return the mean of numbers from 0 to 1, within two standard errors; ``(n,)``."""
    count = len(values)
    if not count:
        return Share(float("nan"), 0.0, 1.0, 0)
    mean = float(values.mean(dtype=np.float64))
    error = float(values.std(dtype=np.float64, ddof=1)) / sqrt(count) if count > 1 else 1.0
    return Share(mean, max(0.0, mean - 2 * error), min(1.0, mean + 2 * error), count)


def change_of(before: np.ndarray, after: np.ndarray) -> Share:
    """Return how a share of True changes on the same things, with its 95 % interval.

    The interval is Newcombe's for paired shares, with Wilson's ends and the continuity
    correction of the correlation (newcombe1998improved).

    Args:
        before, after: bool ``(n,)``, of the same things in the same order.

    >>> found = change_of(np.array([True] * 9 + [False]), np.array([True] * 3 + [False] * 7))
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (-0.6, -0.81, -0.17)
    """
    old, new = share_of(before), share_of(after)
    if not old.count:
        return Share(float("nan"), -1.0, 1.0, 0)
    tied = _correlation(before, after)
    value = new.value - old.value
    low = _reach(new.value - new.low, old.high - old.value, tied)
    high = _reach(new.high - new.value, old.value - old.low, tied)
    return Share(value, max(-1.0, value - low), min(1.0, value + high), old.count)


def _reach(one: float, other: float, tied: float) -> float:
    return sqrt(max(0.0, one * one - 2 * tied * one * other + other * other))


def _correlation(before: np.ndarray, after: np.ndarray) -> float:
    """Return φ of two rows of answers, half a count nearer to zero where it is positive."""
    count, old, new = len(before), int(before.sum()), int(after.sum())
    size = sqrt(old * (count - old) * new * (count - new))
    if size == 0:
        return 0.0
    both = int((before & after).sum())
    product = both * (count - old - new + both) - (old - both) * (new - both)
    return max(product - count / 2, 0.0) / size if product > 0 else product / size
