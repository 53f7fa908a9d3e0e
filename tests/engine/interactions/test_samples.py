"""Rows gathered and multiplied out, against plain loops."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.interactions.samples import Samples

CELLS = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 2.0, float("nan")])
TABLES = st.lists(st.tuples(CELLS, CELLS, CELLS, st.integers(0, 1)), min_size=1, max_size=25)


def samples_of(rows: list[tuple[float, float, float, int]]) -> Samples:
    table = np.array(rows, np.float64)
    return Samples(table[:, :3], table[:, 3].astype(np.int64), np.full(len(rows), 1 / len(rows)))


def told(x: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    found: Counter[str] = Counter()
    for row, label, weight in zip(x, truth, weights, strict=True):
        found[repr([*(row + 0.0).tolist(), int(label)])] += weight
    return {key: round(float(value), 9) for key, value in found.items()}


@given(TABLES)
def test_rows_that_are_alike_are_taken_as_one(rows: list[tuple[float, float, float, int]]) -> None:
    samples = samples_of(rows)
    merged = samples.merged()
    assert told(merged.x, merged.truth, merged.weights) == told(
        samples.x, samples.truth, samples.weights
    )
    assert len(merged) <= len(samples)


@given(TABLES, st.sampled_from([[0], [2], [0, 2], [0, 1, 2]]))
def test_every_row_is_given_the_values_of_every_other(
    rows: list[tuple[float, float, float, int]], columns: list[int]
) -> None:
    samples = samples_of(rows)
    found = samples.multiplied(np.array(columns))
    x, truth = [], []
    for row, label in zip(samples.x, samples.truth, strict=True):
        for other in samples.x:
            mixed = row.copy()
            mixed[columns] = other[columns]
            x.append(mixed)
            truth.append(label)
    weights = np.full(len(x), 1 / len(x))
    assert told(found.x, found.truth, found.weights) == told(np.array(x), np.array(truth), weights)
    assert len(found) <= samples.size_multiplied(np.array(columns)) <= len(rows) ** 2
