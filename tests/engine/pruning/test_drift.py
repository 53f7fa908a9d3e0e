"""Drift against scipy, loops and chance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr, ttest_1samp

from engine.errors import ParameterError, ResultError
from engine.pruning.measuring.drift import drift, drift_over
from engine.pruning.measuring.intervals import mean_of
from engine.results import Attribution


def attribution(values: np.ndarray) -> Attribution:
    return Attribution(manifest={"key": ""}, values=np.array(values, np.float32))


def drawn(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("shape", [(3, 14, 14), (7, 7), (40,)])
def test_against_scipy_and_sets(shape: tuple[int, ...]) -> None:
    one = drawn(*shape)
    other = one + drawn(*shape, seed=1)
    found = drift(attribution(one), attribution(other), top=0.2)
    folds = {
        "signed": lambda v: v.sum(axis=0) if v.ndim == 3 else v,
        "magnitude": lambda v: np.abs(v).max(axis=0) if v.ndim == 3 else np.abs(v),
    }
    for kind, fold in folds.items():
        a, b = (fold(v.astype(np.float64)).astype(np.float32).ravel() for v in (one, other))
        ours = getattr(found, kind)
        assert ours.rank == pytest.approx(spearmanr(a, b).statistic)
        k = round(0.2 * a.size)
        tops = [set(np.argsort(-v)[:k].tolist()) for v in (a, b)]
        both = len(tops[0] & tops[1])
        assert ours.overlap == pytest.approx(both / k)
        assert ours.union == pytest.approx(both / len(tops[0] | tops[1]))
        assert (found.top, found.places) == (k, a.size)


def test_itself_and_its_opposite() -> None:
    one = drawn(3, 10, 10)
    same = drift(attribution(one), attribution(one))
    assert (same.signed.rank, same.signed.overlap, same.signed.union) == pytest.approx((1, 1, 1))
    turned = drift(attribution(one), attribution(-one))
    assert turned.signed.rank == pytest.approx(-1)
    assert turned.signed.overlap == 0
    assert turned.magnitude.rank == pytest.approx(1)  # sizes stay
    assert turned.magnitude.overlap == 1


def test_chance_is_what_random_orders_give() -> None:
    pairs = [
        (attribution(drawn(100, seed=2 * i)), attribution(drawn(100, seed=2 * i + 1)))
        for i in range(400)
    ]
    found = drift_over(pairs, top=0.2)
    assert found.rank.value == pytest.approx(0, abs=0.02)
    assert found.overlap.value == pytest.approx(found.chance, abs=0.01) == 0.2
    assert found.union.value == pytest.approx(found.chance_union, abs=0.01)
    everything = drift(*pairs[0], top=1.0)
    assert everything.signed.overlap == everything.chance_union == everything.chance == 1


def test_ties_are_shared_out() -> None:
    """Ten places, one above nine equals; a top of two is that one and any of the nine."""
    flat = np.zeros(10)
    flat[3] = 1.0
    found = drift(attribution(flat), attribution(flat), top=0.2)
    assert found.signed.overlap == pytest.approx((1 + 9 * (1 / 9) ** 2) / 2)
    other = np.zeros(10)
    other[4] = 1.0
    apart = drift(attribution(flat), attribution(other), top=0.1)
    assert apart.signed.overlap == 0


def test_an_even_map_has_no_order() -> None:
    found = drift(attribution(np.zeros((4, 4))), attribution(drawn(4, 4)), top=0.25)
    assert np.isnan(found.signed.rank)
    assert found.signed.overlap == pytest.approx(found.chance) == 0.25
    over = drift_over([(attribution(np.zeros(4)), attribution(drawn(4)))] * 2)
    assert over.rank.count == 0
    assert np.isnan(over.rank.value)


def test_interval_of_a_mean_as_scipy_has_it() -> None:
    values = drawn(12).astype(np.float64)
    found = mean_of(values)
    theirs = ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))
    assert mean_of(np.array([1.0])).high == float("inf")
    assert np.isnan(mean_of(np.array([])).value)


def test_refusals() -> None:
    with pytest.raises(ResultError, match=r"\(4,\) and \(5,\) cannot be compared"):
        drift(attribution(drawn(4)), attribution(drawn(5)))
    with pytest.raises(ParameterError, match="top=0"):
        drift(attribution(drawn(4)), attribution(drawn(4)), top=0)
    with pytest.raises(ResultError, match="no attributions"):
        drift_over([])
