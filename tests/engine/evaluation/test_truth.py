from __future__ import annotations

import numpy as np
import pytest

from engine.evaluation.truth import inside
from engine.results import Attribution


def attribution(values: np.ndarray, view: str = "positive") -> Attribution:
    return Attribution(manifest={"key": "k", "display": {"view": view}}, values=values)


def test_by_hand() -> None:
    values = np.array([[4, 1], [-3, 5]], dtype=np.float32)
    mask = np.array([[True, False], [True, False]])
    found = inside(attribution(values), mask)
    assert found is not None
    assert found.share == pytest.approx(0.4)
    assert found.area == 0.5
    assert not found.peak
    flipped = inside(attribution(values), ~mask)
    assert flipped is not None
    assert flipped.share == pytest.approx(0.6)
    assert flipped.peak


def test_magnitudes_count_where_they_are_shown() -> None:
    values = np.array([[[1, -3], [0, 0]]], dtype=np.float32)
    mask = np.array([[False, True], [False, False]])
    found = inside(attribution(values, "magnitude"), mask)
    assert found is not None
    assert found.share == pytest.approx(0.75)


def test_a_peak_in_the_hole_of_a_ring_is_in_its_hull() -> None:
    mask = np.ones((9, 9), dtype=bool)
    mask[3:6, 3:6] = False
    values = np.zeros((9, 9), dtype=np.float32)
    values[4, 4] = 1
    found = inside(attribution(values), mask)
    assert found is not None
    assert not found.peak
    assert found.peak_in_hull


def test_nothing_to_hold_it_against() -> None:
    assert inside(attribution(np.ones((2, 2), dtype=np.float32)), np.zeros((2, 2), bool)) is None
