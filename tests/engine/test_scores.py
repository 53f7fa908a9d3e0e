"""Accuracy, confusion and calibration against hand-made and independent figures."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from engine.scores import Scores, Shares, calibration_of, change_of, mean_of, share_of


def scores(labels: list[int], predicted: list[int], confidence: list[float]) -> Scores:
    truth = [
        c if a == b else (1 - c) for a, b, c in zip(labels, predicted, confidence, strict=True)
    ]
    return Scores(
        manifest={"key": "k", "source": {"classes": ["a", "b", "c"]}},
        labels=np.array(labels, dtype=np.int32),
        predicted=np.array(predicted, dtype=np.int32),
        confidence=np.array(confidence, dtype=np.float32),
        truth=np.array(truth, dtype=np.float32),
        rank=np.array(
            [-1 if a < 0 else int(a != b) for a, b in zip(labels, predicted, strict=True)],
            dtype=np.int32,
        ),
    )


def test_by_hand() -> None:
    found = scores([0, 0, 1, 2, -1], [0, 1, 1, 0, 2], [0.9, 0.6, 0.8, 0.7, 0.99])
    assert found.accuracy().value == 0.5
    assert found.accuracy().count == 4
    assert found.accuracy(2).value == 1.0
    assert found.confusion().tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]
    assert found.right.tolist() == [True, False, True, False, False]


@pytest.mark.parametrize(("right", "count"), [(0, 5), (5, 5), (37, 300), (299, 300)])
def test_interval_is_scipys_wilson(right: int, count: int) -> None:
    found = share_of(np.arange(count) < right)
    expected = binomtest(right, count).proportion_ci(0.95, method="wilson")
    assert found.low == pytest.approx(expected.low, abs=1e-12)
    assert found.high == pytest.approx(expected.high, abs=1e-12)


def test_calibration_against_a_loop() -> None:
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 3, 500)
    predicted = np.where(draw.random(500) < 0.7, labels, (labels + 1) % 3)
    confidence = draw.uniform(0.34, 1, 500).astype(np.float32)
    found = scores(labels.tolist(), predicted.tolist(), confidence.tolist()).calibration(10)
    expected = 0.0
    for low in np.arange(10) / 10:
        inside = (confidence.astype(np.float64) > low) & (confidence <= low + 0.1)
        if inside.any():
            gap = (labels == predicted)[inside].mean() - confidence[inside].astype(
                np.float64
            ).mean()
            expected += inside.mean() * abs(gap)
    assert found.error == pytest.approx(expected, abs=1e-9)
    assert found.count.sum() == 500


def test_a_model_that_is_as_sure_as_it_is_right_has_no_error() -> None:
    found = scores([0] * 10, [0] * 8 + [1] * 2, [0.8] * 10)
    assert found.calibration().error == pytest.approx(0, abs=1e-6)
    assert scores([0] * 10, [1] * 10, [0.8] * 10).calibration().error == pytest.approx(0.8)


def test_without_labels() -> None:
    found = scores([-1, -1], [0, 1], [0.5, 0.6])
    assert found.accuracy().count == 0
    assert np.isnan(found.accuracy().value)
    assert np.isnan(found.calibration().error)
    assert found.confusion().sum() == 0


def pairs(both: int, lost: int, won: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Answers before and after, by how many there are of each kind."""
    before = np.repeat([True, True, False, False], [both, lost, won, neither])
    after = np.repeat([True, False, True, False], [both, lost, won, neither])
    return before, after


def test_change_by_a_published_example() -> None:
    """Airway hyper-responsiveness before and after a transplantation (Fagerland and others)."""
    after, before = pairs(1, 1, 7, 12)
    found = change_of(before, after)
    assert found.value == pytest.approx(-6 / 21)
    assert (round(found.low, 3), round(found.high, 3)) == (-0.507, -0.026)
    assert found.count == 21


@pytest.mark.parametrize("counts", [(30, 5, 9, 6), (0, 4, 0, 6), (8, 0, 0, 0), (40, 2, 2, 1)])
def test_change_turns_round_with_its_ends(counts: tuple[int, int, int, int]) -> None:
    before, after = pairs(*counts)
    there, back = change_of(before, after), change_of(after, before)
    assert there.value == pytest.approx(-back.value)
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low))
    assert -1 <= there.low <= there.value <= there.high <= 1


def test_changes_interval_covers_what_it_should() -> None:
    """In 95 % of drawings or so the true change is inside, also where both go together."""
    draw = np.random.default_rng(0)
    odds = np.array([0.55, 0.25, 0.1, 0.1])  # both, lost, won, neither
    inside = 0
    for _ in range(2000):
        found = change_of(*pairs(*draw.multinomial(60, odds).tolist()))
        inside += found.low <= -0.15 <= found.high
    assert 0.93 < inside / 2000 < 0.98


def test_change_of_nothing() -> None:
    none = change_of(np.zeros(0, bool), np.zeros(0, bool))
    assert np.isnan(none.value)
    assert (none.low, none.high, none.count) == (-1, 1, 0)


def test_mean_within_two_standard_errors() -> None:
    draw = np.random.default_rng(0)
    values = draw.uniform(0.2, 0.9, 400).astype(np.float32)
    found = mean_of(values)
    error = values.astype(np.float64).std(ddof=1) / 20
    assert found.value == pytest.approx(values.astype(np.float64).mean())
    assert (found.low, found.high) == pytest.approx(
        (found.value - 2 * error, found.value + 2 * error)
    )
    assert mean_of(np.array([0.5])).low == 0
    assert np.isnan(mean_of(np.zeros(0)).value)


def test_shares_together() -> None:
    one, other = share_of(np.array([True, False])), share_of(np.zeros(0, bool))
    found = Shares.of([one, other])
    assert found.count.tolist() == [2, 0]
    assert found.value[0] == 0.5
    assert np.isnan(found.value[1])
    assert (found.low[0], found.high[1]) == (one.low, 1.0)
    assert Shares.of([]).value.shape == (0,)


def test_calibration_is_that_of_a_test() -> None:
    found = scores([0, 0, 1, 2, -1], [0, 1, 1, 0, 2], [0.9, 0.6, 0.8, 0.7, 0.99])
    own = calibration_of(np.array([0.9, 0.6, 0.8, 0.7]), np.array([True, False, True, False]))
    assert own.error == pytest.approx(found.calibration().error, abs=1e-6)
    assert own.error == pytest.approx((0.1 + 0.6 + 0.2 + 0.7) / 4)
