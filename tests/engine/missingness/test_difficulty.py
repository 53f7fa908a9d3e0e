from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.missingness.difficulty import difficulty

SIDES = st.integers(1, 6)


def line(before: float | None, after: float | None, place: int, first: int, last: int) -> float:
    """A straight line between two pixels, or the one that is there."""
    if before is None or after is None:
        return float(after if before is None else before)  # type: ignore[arg-type]
    share = (place - (first - 1)) / ((last + 1) - (first - 1))
    return before + share * (after - before)


def slow(colours: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    height, width, channels = colours.shape
    of = [
        [i * n // size for i in range(size)] for size, n in zip((height, width), grid, strict=True)
    ]
    found, count = np.zeros(grid), np.zeros(grid)
    for i in range(height):
        for j in range(width):
            r, c = of[0][i], of[1][j]
            rows = [k for k in range(height) if of[0][k] == r]
            columns = [k for k in range(width) if of[1][k] == c]
            end = columns[-1] + 1
            for channel in range(channels):
                guesses = []
                if grid[0] > 1:
                    above = colours[rows[0] - 1, j, channel] if rows[0] else None
                    below = colours[rows[-1] + 1, j, channel] if rows[-1] + 1 < height else None
                    guesses.append(line(above, below, i, rows[0], rows[-1]))
                if grid[1] > 1:
                    left = colours[i, columns[0] - 1, channel] if columns[0] else None
                    right = colours[i, end, channel] if end < width else None
                    guesses.append(line(left, right, j, columns[0], columns[-1]))
                guess = np.mean(guesses) if guesses else colours[..., channel].mean()
                found[r, c] += (colours[i, j, channel] - guess) ** 2
                count[r, c] += 1
    return found / count


@given(rows=SIDES, columns=SIDES, down=st.integers(0, 9), across=st.integers(0, 9))
def test_as_a_loop_over_pixels_finds_it(rows: int, columns: int, down: int, across: int) -> None:
    colours = np.random.default_rng(0).random((rows + down, columns + across, 2))
    assert np.allclose(difficulty(colours, (rows, columns)), slow(colours, (rows, columns)))


def test_a_slope_is_easy_inside_and_an_edge_is_not() -> None:
    slope = np.add.outer(np.arange(20.0), 3 * np.arange(20.0))[..., None]
    assert np.abs(difficulty(slope, (5, 5))[1:-1, 1:-1]).max() < 1e-20
    edge = np.zeros((20, 20, 3))
    edge[10:12, 9:12] = 1  # within one patch
    hard = difficulty(edge, (5, 5))
    assert np.unravel_index(hard.argmax(), hard.shape) == (2, 2)
    assert hard[2, 2] == pytest.approx(6 / 16)
    assert hard[0, 0] == 0
