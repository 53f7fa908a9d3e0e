"""Accuracy, confusion and calibration against hand-made and independent figures."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from engine.scores import Scores, share_of


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
