"""Whether a model knows how sure it may be, and how far that can be told from so few pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from engine.errors import InputError, ParameterError
from engine.parameters import check_seed
from engine.scores import BINS, Calibration, bins_of, calibration_of

_AT_ONCE = 4_000_000  # numbers drawn at a time
_ROUNDING = 1e-6  # a softmax in float32 may end just above 1


@dataclass(frozen=True, eq=False)
class CalibrationError:
    """The expected calibration error (guo2017calibration) and how sure it is.

    Attributes:
        value: mean |accuracy − confidence| over bins, weighted by their counts; 0 … 1.
        low, high: 95 % interval: basic bootstrap over pictures, in bins that stay. The error
            cannot fall below 0, so it comes out too high, the more so of few pictures; this
            interval makes up for that, where the usual percentiles count it twice. For a model
            that is calibrated all but perfectly it is too narrow: see ``unavoidable``.
        unavoidable: what a perfectly calibrated model as confident as this one would show on as
            many pictures, on average.
        bins: confidence and accuracy in each bin.
        equal_mass: whether the bins hold as many pictures each, or are equally wide.
    """

    value: float
    low: float
    high: float
    unavoidable: float
    bins: Calibration
    equal_mass: bool

    @property
    def count(self) -> int:
        """Number of pictures."""
        return int(self.bins.count.sum())


def expected_calibration_error(
    confidence: np.ndarray,
    correct: np.ndarray,
    bins: int = BINS,
    *,
    equal_mass: bool = False,
    draws: int = 1000,
    seed: int = 0,
) -> CalibrationError:
    """Hold how sure a model is against how often it is right.

    Args:
        confidence: probability of the predicted class, ``(n,)``.
        correct: bool ``(n,)``, whether it was right.
        bins: how many.
        equal_mass: bins of as many pictures each instead of equal width.
        draws: bootstrap samples for the interval.
        seed: of these.

    Raises:
        InputError: no pictures, lengths that differ, or confidences beyond 0 … 1.
        ParameterError: bins or draws below 1.
    """
    exact, right = _checked(confidence, correct)
    check_seed(seed)
    for name, value in (("bins", bins), ("draws", draws)):
        if value < 1:
            raise ParameterError(f"{name}={value}: expected a whole number from 1")
    found = calibration_of(exact, right, bins, equal_mass=equal_mass)
    index = bins_of(exact, bins, equal_mass=equal_mass)
    rng = np.random.default_rng([seed % 2**64, len(exact)])
    gaps = right - exact

    def again(count: int) -> np.ndarray:
        chosen = rng.integers(0, len(exact), (count, len(exact)))
        return _errors(gaps[chosen], index[chosen], bins)

    def calibrated(count: int) -> np.ndarray:
        hits = rng.random((count, len(exact))) < exact
        return _errors(hits - exact, np.broadcast_to(index, hits.shape), bins)

    low, high = np.quantile(_drawn(again, draws, len(exact)), (0.025, 0.975))
    return CalibrationError(
        value=found.error,
        low=float(max(0.0, 2 * found.error - high)),
        high=float(max(0.0, 2 * found.error - low)),
        unavoidable=float(_drawn(calibrated, draws, len(exact)).mean()),
        bins=found,
        equal_mass=equal_mass,
    )


def _errors(gaps: np.ndarray, index: np.ndarray, bins: int) -> np.ndarray:
    """Return the error of each row of pictures, ``(rows,)``: Σ_bins |Σ right − confidence| / n."""
    rows, count = gaps.shape
    cells = index + bins * np.arange(rows)[:, None]
    sums = np.bincount(cells.ravel(), gaps.ravel(), rows * bins).reshape(rows, bins)
    return np.asarray(np.abs(sums).sum(axis=1) / count)


def _drawn(draw: Callable[[int], np.ndarray], draws: int, count: int) -> np.ndarray:
    return np.concatenate([draw(part) for part in _parts(draws, max(1, _AT_ONCE // count))])


def _parts(total: int, most: int) -> Iterator[int]:
    for start in range(0, total, most):
        yield min(most, total - start)


def _checked(confidence: np.ndarray, correct: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    exact, right = np.asarray(confidence, np.float64), np.asarray(correct)
    if exact.ndim != 1 or exact.shape != right.shape or right.dtype != bool:
        raise InputError(
            f"confidence is (n,) and correct bool (n,); they are {exact.shape} and "
            f"{right.dtype} {right.shape}"
        )
    if not len(exact):
        raise InputError("no picture with a label: nothing to hold the confidence against")
    if not (np.isfinite(exact).all() and exact.min() >= 0 and exact.max() <= 1 + _ROUNDING):
        raise InputError("confidences are probabilities from 0 to 1")
    return exact.clip(max=1), right
