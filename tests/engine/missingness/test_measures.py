"""Measures of a study: closed forms, and what an interval must do."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from engine.missingness.measures import (
    class_entropy,
    entropy_with_interval,
    resamples,
    standard_error,
    tallied,
)


@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_entropy_of_even_answers_is_log2_of_the_classes(classes: int) -> None:
    assert class_entropy(np.full(classes, 7)) == pytest.approx(np.log2(classes), abs=1e-12)
    one = np.zeros(classes, dtype=int)
    one[classes // 2] = 5
    assert class_entropy(one) == 0


def test_entropy_is_that_of_scipy() -> None:
    counts = np.random.default_rng(0).integers(0, 9, (4, 5, 12))
    assert class_entropy(counts) == pytest.approx(stats.entropy(counts, axis=-1, base=2), abs=1e-12)


def test_interval_of_an_entropy_holds_the_truth_as_often_as_it_says() -> None:
    share = np.array([0.4, 0.3, 0.2, 0.05, 0.05])
    truth = stats.entropy(share, base=2)
    draw = np.random.default_rng(1)
    held = 0
    for trial in range(200):
        answers = draw.choice(5, size=200, p=share)
        value, low, high = entropy_with_interval(answers, 5, resamples(200, trial))
        assert low <= value <= high
        held += low <= truth <= high
    assert held >= 180


def test_interval_of_one_answer_is_a_point_and_never_leaves_what_is_possible() -> None:
    assert entropy_with_interval(np.full(9, 3), 5, resamples(9, 0)) == (0, 0, 0)
    even = np.arange(40) % 4
    value, low, high = entropy_with_interval(even, 4, resamples(40, 0))
    assert (value, high) == (2, 2)
    assert 1.7 < low < 2


def test_tally_by_hand() -> None:
    predicted = np.array([[[0, 1, 2, 2], [2, 2, 2, 2]]])  # one fill, two shares, four pictures
    found = tallied(predicted, np.array([0, 1, 1, 2]), np.array([0, 1, -1, 1]), 3, seed=0)
    assert found.accuracy[0].tolist() == pytest.approx([2 / 3, 0])
    assert found.unchanged[0].tolist() == [0.75, 0.25]
    assert found.entropy[0].tolist() == pytest.approx([1.5, 0])
    # Mean of 1, 1, 0: variance 1/3 with n − 1, over 3.
    assert found.accuracy_error[0, 0] == pytest.approx(1 / 3)
    assert found.unchanged_error[0, 0] == pytest.approx(np.sqrt(0.25 / 4))
    inside = found.accuracy_interval[0, 1]
    assert inside[0] == pytest.approx(0, abs=1e-7)
    assert inside[1] == pytest.approx(3.8415 / (3 + 3.8415), abs=1e-4)  # Wilson at nothing of 3


def test_without_labels_there_is_no_accuracy() -> None:
    none = np.array([-1, -1])
    found = tallied(np.array([[[0, 1]]]), np.array([0, 0]), none, 2, seed=0)
    assert np.isnan(found.accuracy).all()
    assert np.isnan(found.accuracy_error).all()
    assert found.unchanged[0, 0] == 0.5
    assert np.isnan(standard_error(np.array([1.0])))
