from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.masking.cells import commonest_of_cells, enlarge, mean_of_cells
from engine.masking.regions import grid as regions_of

SIDES = st.integers(1, 9)
MORE = st.integers(0, 40)


@given(rows=SIDES, columns=SIDES, down=MORE, across=MORE)
def test_pixels_have_what_their_cell_has(rows: int, columns: int, down: int, across: int) -> None:
    height, width = rows + down, columns + across
    cells = np.arange(2 * rows * columns).reshape(2, rows, columns)
    large = enlarge(cells, height, width)
    for i in range(height):
        for j in range(width):
            assert (large[:, i, j] == cells[:, i * rows // height, j * columns // width]).all()
    sizes = np.unique(large[0], return_counts=True)[1]
    assert len(sizes) == rows * columns  # every cell has pixels


@given(rows=SIDES, columns=SIDES, down=MORE, across=MORE)
def test_the_mean_of_cells_undoes_enlarging(
    rows: int, columns: int, down: int, across: int
) -> None:
    cells = np.random.default_rng(0).normal(size=(rows, columns))
    large = enlarge(cells, rows + down, columns + across)
    assert np.allclose(mean_of_cells(large, (rows, columns)), cells)
    labels = np.random.default_rng(1).integers(0, 5, (rows, columns))
    large = enlarge(labels, rows + down, columns + across)
    assert np.array_equal(commonest_of_cells(large, (rows, columns)), labels)


@given(rows=SIDES, columns=SIDES, down=MORE, across=MORE)
def test_means_and_commonest_by_loops(rows: int, columns: int, down: int, across: int) -> None:
    shape = (rows + down, columns + across)
    draw = np.random.default_rng(2)
    values, labels = draw.normal(size=(3, *shape)), draw.integers(-2, 3, shape)
    means = mean_of_cells(values, (rows, columns))
    commonest = commonest_of_cells(labels, (rows, columns))
    number = enlarge(np.arange(rows * columns).reshape(rows, columns), *shape)
    for cell in range(rows * columns):
        inside = number == cell
        place = divmod(cell, columns)
        assert np.allclose(means[(slice(None), *place)], values[:, inside].mean(axis=1))
        counts = Counter(labels[inside].tolist())
        most = max(counts.values())
        assert commonest[place] == min(label for label, count in counts.items() if count == most)


def test_coarse_maps_are_spread_over_the_cells() -> None:
    found = mean_of_cells(np.array([[1.0, 2], [3, 4]]), (4, 3))
    assert found.tolist() == [[1, 1, 2], [1, 1, 2], [3, 3, 4], [3, 3, 4]]


def test_square_grids_agree_with_the_regions() -> None:
    cells = np.arange(49).reshape(7, 7)
    assert np.array_equal(enlarge(cells, 30, 45), regions_of(30, 45, 7).numpy())
