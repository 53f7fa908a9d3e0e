"""Changes by class against hand counts, and intervals against published ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from engine.errors import InputError
from engine.pruning.measuring.changes import changes_between, difference_of


def test_by_hand() -> None:
    labels = np.array([0, 0, 0, 1, 1, 2, -1])
    before = np.array([0, 0, 1, 1, 1, 0, 2])
    after = np.array([0, 2, 0, 1, 0, 2, 2])
    found = changes_between(before, after, labels)
    assert found.labelled
    assert [one.index for one in found.classes] == [0, 1, 2]
    first, second, third = found.classes
    assert (first.before.value, first.after.value) == pytest.approx((2 / 3, 2 / 3))
    assert (first.change.lost, first.change.gained) == (1, 1)
    assert second.change.value == -0.5
    assert third.change.value == 1
    assert (first.named_before, first.named_after) == (3, 3)
    assert (third.named_before, third.named_after) == (1, 3)
    assert found.before.value == pytest.approx(4 / 6)
    assert found.after.value == pytest.approx(4 / 6)
    assert (found.change.lost, found.change.gained) == (2, 2)
    assert found.agreement.value == pytest.approx(3 / 7)


def test_shares_have_wilsons_interval() -> None:
    labels = np.repeat([0, 1], [20, 30])
    after = np.where(np.arange(50) % 3 == 0, 1 - labels, labels)
    found = changes_between(labels, after, labels)
    for one in found.classes:
        hits = int((after[labels == one.index] == one.index).sum())
        theirs = binomtest(hits, one.after.count).proportion_ci(method="wilson")
        assert (one.after.low, one.after.high) == pytest.approx((theirs.low, theirs.high))
        assert one.change.low <= one.change.value <= one.change.high


@pytest.mark.parametrize(
    "cells", [(36, 12, 2, 0), (20, 12, 2, 16), (48, 0, 0, 2), (0, 50, 0, 0), (0, 3, 4, 0)]
)
def test_interval_of_the_difference(cells: tuple[int, int, int, int]) -> None:
    """Cells: right both times, before only, after only, never."""
    before = np.repeat([True, True, False, False], cells)
    after = np.repeat([True, False, True, False], cells)
    found = difference_of(before, after)
    assert (found.lost, found.gained) == cells[1:3]
    assert found.value == pytest.approx((cells[2] - cells[1]) / sum(cells))
    assert (found.low, found.high) == pytest.approx(_tenth(*cells), abs=1e-9)


def test_interval_as_published() -> None:
    """The first example of the paper, whose difference is the other way round."""
    found = difference_of(
        np.repeat([True, True, False], [36, 12, 2]), np.repeat([True, False, True], [36, 12, 2])
    )
    assert (found.low, found.high) == pytest.approx((-0.3404, -0.0569), abs=5e-5)


def _tenth(e: int, f: int, g: int, h: int) -> tuple[float, float]:
    """Newcombe's method 10 of θ = (g − f) / n, from scipy's Wilson intervals."""
    n = e + f + g + h
    one = binomtest(e + g, n).proportion_ci(method="wilson")
    two = binomtest(e + f, n).proportion_ci(method="wilson")
    p1, p2 = (e + g) / n, (e + f) / n
    product = (e + f) * (g + h) * (e + g) * (f + h)
    top = e * h - f * g
    top = max(top - n / 2, 0) if top > 0 else top
    phi = top / product**0.5 if product else 0.0
    d1, d2 = p1 - one.low, two.high - p2
    u1, u2 = one.high - p1, p2 - two.low
    low = p1 - p2 - (d1**2 - 2 * phi * d1 * d2 + d2**2) ** 0.5
    high = p1 - p2 + (u1**2 - 2 * phi * u1 * u2 + u2**2) ** 0.5
    return max(-1, low), min(1, high)


def test_interval_covers_what_is_true() -> None:
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(400):
        kind = rng.choice(4, size=60, p=[0.6, 0.2, 0.05, 0.15])
        found = difference_of(np.isin(kind, (0, 1)), np.isin(kind, (0, 2)))
        inside += found.low <= -0.15 <= found.high
    assert 0.92 <= inside / 400 <= 0.99


def test_without_labels_it_is_agreement() -> None:
    before, after = np.array([3, 3, 5, 5]), np.array([3, 4, 5, 5])
    for labels in (None, np.full(4, -1)):
        found = changes_between(before, after, labels)
        assert not found.labelled
        assert found.agreement.value == 0.75
        assert found.before.count == 0
        assert np.isnan(found.change.value)
        assert [(one.index, one.after.value) for one in found.classes] == [(3, 0.5), (5, 1.0)]
        assert all(one.before.value == 1 for one in found.classes)


def test_refusals() -> None:
    with pytest.raises(InputError, match=r"\(2,\), \(3,\) and \(2,\)"):
        changes_between(np.zeros(2), np.zeros(3))
    with pytest.raises(InputError, match="of the same pictures"):
        changes_between(np.zeros(0), np.zeros(0))
