"""Dots of a true beeswarm never overlap, and lie no farther from the middle than they must."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components import packing

_LESS = 1e-6  # pixels


def overlap(x: np.ndarray, y: np.ndarray, sizes: np.ndarray) -> float:
    """Return how far the two dots overlap that overlap most, by all pairs; below 0: none do."""
    if len(x) < 2:
        return -np.inf
    apart = np.hypot(x[:, None] - x, y[:, None] - y)
    needed = (sizes[:, None] + sizes) / 2
    np.fill_diagonal(apart, np.inf)
    return float((needed - apart).max())


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.floats(0, 300), st.integers(0, 20).map(float)),
            st.sampled_from([4.0, 5.0, 9.0, 14.0]),
            st.integers(0, 3),
        ),
        max_size=120,
    )
)
def test_no_two_dots_overlap(dots: list[tuple[float, float, int]]) -> None:
    x, sizes, rank = (np.array([dot[i] for dot in dots]) for i in range(3))
    y = packing.aside(x, sizes, rank)
    assert y.shape == x.shape
    assert overlap(x, y, sizes) < _LESS


def test_overlap_is_seen_by_the_check_itself() -> None:
    assert overlap(np.array([0.0, 3.0]), np.zeros(2), np.full(2, 5.0)) == pytest.approx(2)


def test_dots_with_room_stay_in_the_middle() -> None:
    x = np.arange(40) * 5.0
    assert not packing.aside(x, np.full(40, 5.0), np.zeros(40)).any()


def test_equal_dots_stack_evenly_to_both_sides() -> None:
    y = packing.aside(np.zeros(7), np.full(7, 4.0), np.zeros(7))
    assert sorted(y) == pytest.approx([-12, -8, -4, 0, 4, 8, 12])


def test_what_is_placed_first_lies_in_the_middle() -> None:
    rank = np.array([1, 1, 1, 1, 0])
    y = packing.aside(np.zeros(5), np.array([5.0, 5, 5, 5, 15]), rank)
    assert y[4] == 0
    assert np.abs(y[:4]).min() == pytest.approx(10)


def test_no_dots_at_all() -> None:
    assert packing.aside(np.zeros(0), np.zeros(0), np.zeros(0)).shape == (0,)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-40, 40), st.integers(1, 9)), min_size=1, max_size=30))
def test_a_dot_moves_no_farther_than_to_the_nearest_free_place(
    taken: list[tuple[int, int]],
) -> None:
    middles, halves = np.array(taken, dtype=np.float64).T
    found = packing._free(middles, halves, upwards=True)
    ends = np.concatenate([[0.0], middles - halves, middles + halves])
    free = [end for end in ends if (np.abs(end - middles) >= halves).all()]
    assert found in free
    assert abs(found) == min(map(abs, free))
