"""The calibration error against a loop, known models and scipy's own bootstrap."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats

from engine.errors import InputError, ParameterError
from engine.pruning.measuring.calibration import CalibrationError, expected_calibration_error


def drawn(count: int, shift: float = 0.1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A model that is right ``shift`` less often than it says."""
    rng = np.random.default_rng(seed)
    confidence = rng.beta(5, 1.5, count)
    return confidence, rng.random(count) < np.clip(confidence - shift, 0, 1)


def by_loop(confidence: np.ndarray, right: np.ndarray, edges: np.ndarray) -> float:
    total = 0.0
    for low, high in pairwise(edges):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            gap = abs(right[inside].mean() - confidence[inside].mean())
            total += inside.sum() / len(right) * gap
    return total


def test_equal_width_against_a_loop() -> None:
    confidence, right = drawn(300)
    found = expected_calibration_error(confidence, right, 10, draws=10)
    assert found.value == pytest.approx(by_loop(confidence, right, np.linspace(0, 1, 11)))
    assert found.count == 300
    assert not found.equal_mass


def test_equal_mass_against_a_loop() -> None:
    confidence, right = drawn(300)
    found = expected_calibration_error(confidence, right, 10, equal_mass=True, draws=10)
    ordered = np.sort(confidence)
    edges = np.array([0.0, *ordered[29:-1:30], 1.0])
    assert found.bins.count.tolist() == [30] * 10
    assert found.value == pytest.approx(by_loop(confidence, right, edges))


def test_equal_confidences_stay_in_one_bin() -> None:
    confidence = np.repeat([0.5, 0.9], [70, 30])
    right = np.arange(100) % 2 == 0
    found = expected_calibration_error(confidence, right, 10, equal_mass=True, draws=10)
    assert sorted(found.bins.count[found.bins.count > 0].tolist()) == [30, 70]
    assert found.value == pytest.approx(0.7 * 0 + 0.3 * 0.4)


def test_interval_is_the_basic_bootstrap_of_scipy() -> None:
    confidence, right = drawn(200)
    edges = np.linspace(0, 1, 16)
    found = expected_calibration_error(confidence, right, draws=4000)
    theirs = stats.bootstrap(
        (confidence, right),
        lambda c, r: by_loop(c, r, edges),
        paired=True,
        vectorized=False,
        method="basic",
        n_resamples=1500,
        rng=1,
    ).confidence_interval
    assert found.low == pytest.approx(max(0, theirs.low), abs=0.008)
    assert found.high == pytest.approx(theirs.high, abs=0.008)


def test_interval_covers_what_is_true() -> None:
    """Of a model 10 points too sure; without the correction few pictures would say far more."""
    inside = 0
    for seed in range(60):
        found = expected_calibration_error(*drawn(1000, 0.1, seed), draws=200, seed=seed)
        inside += found.low <= 0.1 <= found.high
    assert inside >= 48


def test_a_perfect_model_shows_no_more_than_cannot_be_avoided() -> None:
    values, unavoidable = [], []
    for seed in range(40):
        found = expected_calibration_error(*drawn(200, 0.0, seed), draws=100, seed=seed)
        values.append(found.value)
        unavoidable.append(found.unavoidable)
    assert np.mean(values) == pytest.approx(np.mean(unavoidable), rel=0.07)
    assert np.mean(values) > 0.05  # although nothing is wrong with it


def test_seed_decides() -> None:
    def run(seed: int) -> CalibrationError:
        return expected_calibration_error(*drawn(100), draws=50, seed=seed)

    assert (run(3).low, run(3).unavoidable) == (run(3).low, run(3).unavoidable)
    assert run(3).low != run(4).low


def test_drawn_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = expected_calibration_error(*drawn(100), draws=50)
    monkeypatch.setattr("engine.pruning.measuring.calibration._AT_ONCE", 700)
    assert expected_calibration_error(*drawn(100), draws=50).low == whole.low


@pytest.mark.parametrize(
    ("confidence", "right", "told"),
    [
        ([], [], "no picture with a label"),
        ([0.5], [True, False], "confidence is"),
        ([0.5], [1], "correct bool"),
        ([1.5], [True], "from 0 to 1"),
        ([float("nan")], [True], "from 0 to 1"),
    ],
)
def test_bad_input(confidence: list[float], right: list[bool], told: str) -> None:
    dtype = bool if not right or isinstance(right[0], bool) else None
    with pytest.raises(InputError, match=told):
        expected_calibration_error(np.array(confidence), np.array(right, dtype=dtype))


@pytest.mark.parametrize("name", ["bins", "draws"])
def test_bad_numbers(name: str) -> None:
    with pytest.raises(ParameterError, match=f"{name}=0"):
        expected_calibration_error(*drawn(10), **{name: 0})
