from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.attribution.dealing import Dealt, deal


def samples(count: int, rows: int, seed: int, within: float) -> tuple[np.ndarray, np.ndarray]:
    """Values that differ by row (their mean is 0 over the rows) and by chance."""
    draw = np.random.default_rng([seed, 1])
    row = deal(seed, rows).numpy()[np.arange(count) % rows]
    levels = np.linspace(-1, 1, rows) if rows > 1 else np.zeros(1)
    values = levels[row, None] * [1.0, -3.0] + within * draw.normal(size=(count, 2))
    return values, row


def dealt(values: np.ndarray, row: np.ndarray, rows: int, size: int = 7) -> Dealt:
    found = Dealt(rows)
    for start in range(0, len(row), size):
        part = slice(start, start + size)
        found.add(torch.from_numpy(values[part]), torch.from_numpy(row[part]))
    return found


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize(("count", "rows"), [(1, 1), (40, 1), (3, 8), (8, 8), (30, 8), (13, 8)])
def test_the_mean_is_that_of_the_rows_means(count: int, rows: int, size: int) -> None:
    values, row = samples(count, rows, 0, 0.5)
    means = [values[row == one].mean(axis=0) for one in set(row.tolist())]
    found = dealt(values, row, rows, size)
    assert np.allclose(found.mean, np.mean(means, axis=0), rtol=0, atol=1e-12)


def test_every_row_is_dealt_before_any_comes_again() -> None:
    for seed in range(5):
        assert sorted(deal(seed, 9).tolist()) == list(range(9))
    assert len({tuple(deal(seed, 9).tolist()) for seed in range(5)}) == 5
    assert torch.equal(deal(-1, 9), deal(2**64 - 1, 9))


def test_of_one_row_the_error_is_the_usual_one() -> None:
    values, row = samples(40, 1, 0, 0.5)
    expected = values.std(axis=0, ddof=1) / np.sqrt(40)
    assert np.allclose(dealt(values, row, 1).error, expected)


def test_of_one_sample_the_error_is_its_distance_from_0() -> None:
    values, row = samples(1, 5, 0, 0.5)
    assert np.allclose(dealt(values, row, 5).error, np.abs(values[0]))


def test_what_differs_only_between_rows_has_no_error() -> None:
    values, row = samples(60, 20, 0, 0.0)
    found = dealt(values, row, 20)
    assert found.mean.abs().max() < 1e-12
    assert found.error.max() < 1e-7


@pytest.mark.parametrize(
    ("count", "rows"), [(60, 20), (47, 20), (400, 20), (31, 20), (25, 20), (10, 20)]
)
def test_the_error_is_that_of_another_seed_or_more(count: int, rows: int) -> None:
    found = [dealt(*samples(count, rows, seed, 0.5), rows) for seed in range(300)]
    spread = torch.stack([one.mean for one in found]).std(dim=0)
    told = torch.stack([one.error for one in found]).square().mean(dim=0).sqrt()
    assert (told > 0.9 * spread).all()
    if count >= rows + 10:
        assert (told < 1.1 * spread).all()
