"""Uniform, blocks, grid, square, noisy: each beside a slow derivation of its own."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.masking.generators.generator import Wanted
from engine.masking.generators.noisy import BetaNoise
from engine.masking.generators.registry import make_masks

SHARES = st.floats(0, 1)
SIDES = st.integers(1, 12)


def rows_of(keep: np.ndarray) -> list[list[bool]]:
    return [[bool(cell) for cell in row] for row in keep]


@given(rows=SIDES, columns=SIDES, hidden=SHARES, seed=st.integers(0, 99))
def test_uniform_hides_the_lowest_of_noise(
    rows: int, columns: int, hidden: float, seed: int
) -> None:
    keep = make_masks("uniform", (rows, columns), hidden, count=3, seed=seed)
    for index in range(3):
        noise = np.random.default_rng([seed, index]).random((rows, columns))
        places = sorted(np.ndindex(rows, columns), key=lambda place: noise[place])
        gone = set(places[: round(hidden * rows * columns)])
        expected = [[(i, j) not in gone for j in range(columns)] for i in range(rows)]
        assert rows_of(keep[index]) == expected


def test_uniform_is_as_likely_everywhere() -> None:
    keep = make_masks("uniform", (5, 7), 0.6, count=8000, seed=2)
    assert np.abs((~keep).mean(axis=0) - 0.6).max() < 5 * math.sqrt(0.24 / 8000)


@pytest.mark.parametrize("side", [1, 2, 4])
@given(rows=SIDES, columns=SIDES, hidden=SHARES)
def test_blocks_are_hidden_whole_but_for_one(
    side: int, rows: int, columns: int, hidden: float
) -> None:
    (keep,) = make_masks("simmim", (rows, columns), hidden, seed=5, block=str(side))
    cut = 0
    for top in range(0, rows, side):
        for left in range(0, columns, side):
            block = keep[top : top + side, left : left + side]
            cut += bool(block.any() and not block.all())
    assert cut <= 1


@pytest.mark.parametrize("side", [2, 4])
def test_blocks_go_in_the_order_of_their_noise(side: int) -> None:
    keep = make_masks("simmim", (12, 8), 0.6, count=4, seed=9, block=str(side))
    for index in range(4):
        noise = np.random.default_rng([9, index]).random((12 // side, 8 // side))
        blocks = sorted(np.ndindex(noise.shape), key=lambda place: noise[place])
        whole = round(0.6 * 96) // side**2
        for place, (i, j) in enumerate(blocks):
            block = keep[index, side * i : side * i + side, side * j : side * j + side]
            if place < whole:
                assert not block.any()
            elif place > whole:
                assert block.all()


def test_the_papers_ratio_on_the_papers_grid() -> None:
    # 192 pixels in patches of 4: 48 × 48 cells, blocks of 32 pixels are not on offer beyond 4.
    keep = make_masks("simmim", (12, 12), 0.6, count=5, block="2")
    assert (~keep).mean() == pytest.approx(86 / 144)


@given(rows=st.integers(1, 6), columns=st.integers(1, 6), hidden=SHARES, seed=st.integers(0, 30))
def test_the_grid_hides_the_same_of_each_two_by_two(
    rows: int, columns: int, hidden: float, seed: int
) -> None:
    (keep,) = make_masks("grid", (2 * rows, 2 * columns), hidden, seed=seed)
    tiles = [
        keep[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] for i in range(rows) for j in range(columns)
    ]
    assert all(np.array_equal(tile, tiles[0]) for tile in tiles)
    assert (~tiles[0]).sum() == round(4 * hidden)


def test_half_of_the_grid_is_a_chessboard_and_its_start_is_drawn() -> None:
    keep = make_masks("grid", (5, 6), 0.5, count=40)
    board = np.indices((5, 6)).sum(axis=0) % 2 == 0
    same = [np.array_equal(one, board) for one in keep]
    other = [np.array_equal(one, ~board) for one in keep]
    assert all(a or b for a, b in zip(same, other, strict=True))
    assert any(same)
    assert any(other)


def test_three_of_four_leave_each_of_four_starts() -> None:
    keep = make_masks("grid", (4, 4), 0.75, count=60)
    assert {tuple(np.argwhere(one)[0]) for one in keep} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert (keep.sum(axis=(1, 2)) == 4).all()


@given(side=st.integers(1, 14), hidden=SHARES, seed=st.integers(0, 20))
def test_one_square_stays(side: int, hidden: float, seed: int) -> None:
    (keep,) = make_masks("block", (side, side), hidden, seed=seed)
    visible = round(math.sqrt(side * side - round(hidden * side * side)))
    if not visible:
        assert not keep.any()
        return
    (top, left), (bottom, right) = np.argwhere(keep)[[0, -1]]
    assert bottom - top + 1 == right - left + 1 == visible
    assert keep[top : bottom + 1, left : right + 1].all()
    assert keep.sum() == visible**2


@given(length=st.integers(1, 60), hidden=SHARES, tall=st.booleans())
def test_in_a_narrow_grid_a_run_of_the_same_area_stays(
    length: int, hidden: float, tall: bool
) -> None:
    (keep,) = make_masks("block", (length, 1) if tall else (1, length), hidden)
    assert keep.sum() == length - round(hidden * length)
    kept = np.flatnonzero(keep)
    assert len(kept) == 0 or kept[-1] - kept[0] + 1 == len(kept)


def test_the_square_may_lie_anywhere() -> None:
    keep = make_masks("block", (4, 5), 0.8, count=3000, seed=1)
    places = [tuple(map(int, np.argwhere(one)[0])) for one in keep]
    counts = {place: places.count(place) for place in set(places)}
    assert set(counts) == {(i, j) for i in range(3) for j in range(4)}
    assert min(counts.values()) > 180  # 250 each on average


@pytest.mark.parametrize(("a", "b"), [(1.0, 1.0), (0.5, 2.0), (4.0, 1.5)])
def test_beta_noise_has_its_moments_and_the_noisiest_are_hidden(a: float, b: float) -> None:
    wanted = Wanted((6, 6), 0.25, 400, 3)
    noise = BetaNoise().noise(wanted, {"a": a, "b": b})
    mean, spread = a / (a + b), math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1)))
    assert noise.mean() == pytest.approx(mean, abs=5 * spread / 120)
    assert noise.std() == pytest.approx(spread, rel=0.03)
    keep = make_masks("beta-noise", (6, 6), 0.25, count=400, seed=3, a=a, b=b)
    for one, amounts in zip(keep, noise, strict=True):
        assert amounts[one].max() <= amounts[~one].min()


def test_noise_and_mask_hides_as_uniform_does() -> None:
    found = make_masks("noise-and-mask", (9, 4), 0.3, count=5, seed=8, noise=0.7)
    assert np.array_equal(found, make_masks("uniform", (9, 4), 0.3, count=5, seed=8))
