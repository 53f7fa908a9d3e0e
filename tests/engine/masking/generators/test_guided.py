"""Generators that follow a guide, each beside a slow derivation of its own."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engine.masking.generators.registry import make_masks

SHARES = st.floats(0, 1)
SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 6))
SCORES = SHAPES.flatmap(
    lambda shape: arrays.arrays(np.float64, shape, elements=st.integers(-3, 3).map(float))
)
HEADS = st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5)).flatmap(
    lambda shape: arrays.arrays(np.float64, shape, elements=st.integers(0, 4).map(float))
)
REGIONS = SHAPES.flatmap(
    lambda shape: arrays.arrays(np.int64, shape, elements=st.sampled_from([0, 1, 2, 7]))
)


def places_of(grid: tuple[int, ...]) -> list[tuple[int, ...]]:
    return list(np.ndindex(*grid))


def gone(keep: np.ndarray) -> set[tuple[int, ...]]:
    return {place for place in places_of(keep.shape) if not keep[place]}


@given(scores=SCORES, hidden=SHARES, top=st.booleans())
def test_saliency_hides_the_highest_or_the_lowest(
    scores: np.ndarray, hidden: float, top: bool
) -> None:
    side = "top" if top else "bottom"
    (keep,) = make_masks("saliency", scores.shape, hidden, guide=scores, hide=side)
    places = sorted(places_of(scores.shape), key=lambda p: -scores[p] if top else scores[p])
    assert gone(keep) == set(places[: round(hidden * scores.size)])


@given(heads=HEADS, hidden=SHARES, top=st.booleans(), vote=st.booleans())
def test_ranked_by_the_mean_or_by_votes(
    heads: np.ndarray, hidden: float, top: bool, vote: bool
) -> None:
    grid = heads.shape[1:]
    count = round(hidden * heads[0].size)
    (keep,) = make_masks(
        "attention-ranked", grid, hidden, guide=heads,
        hide="top" if top else "bottom", heads="vote" if vote else "mean",
    )  # fmt: skip
    sign = -1 if top else 1
    mean = {p: sign * sum(head[p] for head in heads) / len(heads) for p in places_of(grid)}
    votes = dict.fromkeys(mean, 0)
    for head in heads:
        for place in sorted(mean, key=lambda p, h=head: sign * h[p])[:count]:
            votes[place] += 1
    order = sorted(
        mean, key=lambda p: (-votes[p], round(mean[p], 9)) if vote else round(mean[p], 9)
    )
    assert gone(keep) == set(order[:count])


def test_votes_and_mean_differ_where_one_head_shouts() -> None:
    heads = np.array([[[100.0, 0, 0, 1]], [[0, 2.0, 1, 0]], [[0, 2.0, 0, 1]]])
    loud = make_masks("attention-ranked", (1, 4), 0.25, guide=heads)
    voted = make_masks("attention-ranked", (1, 4), 0.25, guide=heads, heads="vote")
    assert gone(loud[0]) == {(0, 0)}
    assert gone(voted[0]) == {(0, 1)}


def chances_to_stay(weights: list[float], stay: int) -> np.ndarray:
    """Of each cell, drawn one after the other without putting back: summed over all orders."""
    found = np.zeros(len(weights))
    for order in permutations(range(len(weights)), stay):
        chance, left = 1.0, sum(weights)
        for cell in order:
            chance *= weights[cell] / left
            left -= weights[cell]
        for cell in order:
            found[cell] += chance
    return found


@pytest.mark.parametrize("stay", [1, 2, 4])
def test_sampled_is_drawing_without_putting_back(stay: int) -> None:
    weights = [0.5, 1.0, 3.0, 0.25, 6.0]
    keep = make_masks(
        "attention-sampled", (1, 5), 1 - stay / 5, count=10_000, seed=1, guide=np.array([weights])
    )
    expected = chances_to_stay(weights, stay)
    error = np.sqrt(expected * (1 - expected) / 10_000)
    assert (np.abs(keep[:, 0].mean(axis=0) - expected) < 5 * error + 1e-9).all()


def test_cells_without_weight_stay_last_and_then_by_chance() -> None:
    weights = np.array([[0.0, 1e-300, 0, 5, -2, 0]])
    keep = make_masks("attention-sampled", (1, 6), 4 / 6, count=50, guide=weights)[:, 0]
    assert (keep == (weights[0] > 0)).all()
    three = make_masks("attention-sampled", (1, 6), 0.5, count=400, guide=weights)[:, 0]
    assert three[:, [1, 3]].all()
    assert (three[:, [0, 2, 4, 5]].mean(axis=0) > 0.15).all()


def test_heads_are_averaged_for_sampling() -> None:
    heads = np.random.default_rng(0).random((3, 4, 4))
    asked = {"count": 20, "seed": 3}
    found = make_masks("attention-sampled", (4, 4), 0.7, guide=heads, **asked)
    mean = make_masks("attention-sampled", (4, 4), 0.7, guide=heads.mean(axis=0), **asked)
    assert np.array_equal(found, mean)


@settings(max_examples=60)
@given(scores=SCORES, hidden=SHARES, guided=st.floats(0, 0.5), seed=st.integers(0, 50))
def test_hard_patches_are_the_hardest_and_some_drawn(
    scores: np.ndarray, hidden: float, guided: float, seed: int
) -> None:
    grid = scores.shape
    (keep,) = make_masks("hard-patches", grid, hidden, guide=scores, guided=guided, seed=seed)
    noise = np.random.default_rng([seed, 0]).random(grid)
    count = round(hidden * scores.size)
    hardest = sorted(places_of(grid), key=lambda p: (-scores[p], noise[p]))
    first = set(hardest[: round(guided * count)])
    others = sorted(set(places_of(grid)) - first, key=lambda p: noise[p])
    assert gone(keep) == first | set(others[: count - len(first)])


def test_unguided_hard_patches_are_uniform() -> None:
    scores = np.random.default_rng(0).random((6, 6))
    asked = {"count": 4, "seed": 2}
    found = make_masks("hard-patches", (6, 6), 0.5, guide=scores, guided=0, **asked)
    assert np.array_equal(found, make_masks("uniform", (6, 6), 0.5, **asked))
    half = make_masks("hard-patches", (6, 6), 0.5, guide=scores, guided=0.5, **asked)
    top = scores >= np.sort(scores.ravel())[-9]
    assert not half[:, top].any()


def webster(sizes: dict[int, int], seats: int) -> dict[int, float]:
    """Seats by the divisors ½, 3/2, …: one after the other to the largest quotient."""
    given_out: dict[int, float] = dict.fromkeys(sizes, 0)
    for _ in range(seats):
        open_ones = [r for r in sizes if given_out[r] < sizes[r]]
        best = max(sizes[r] / (given_out[r] + 0.5) for r in open_ones)
        tied = [r for r in open_ones if sizes[r] / (given_out[r] + 0.5) > best - 1e-9]
        given_out[tied[0]] += 1
    return given_out


@settings(max_examples=80)
@given(regions=REGIONS, hidden=SHARES, seed=st.integers(0, 50))
def test_one_region_whole_and_the_others_in_proportion(
    regions: np.ndarray, hidden: float, seed: int
) -> None:
    keep = make_masks("region-complete", regions.shape, hidden, guide=regions, seed=seed, count=3)
    count = round(hidden * regions.size)
    sizes = {int(r): int((regions == r).sum()) for r in np.unique(regions)}
    fitting = [r for r in sizes if sizes[r] <= count]
    for index in range(3):
        drawn = np.random.default_rng([seed, index])
        among = fitting or list(sizes)
        chosen = among[int(drawn.integers(len(among)))]
        hidden_of = {r: int((~keep[index][regions == r]).sum()) for r in sizes}
        if not fitting:
            assert hidden_of[chosen] == count
            continue
        assert hidden_of[chosen] == sizes[chosen]
        others = {r: size for r, size in sizes.items() if r != chosen}
        expected = webster(others, count - sizes[chosen])
        # Ties may go either way; then a region is off by one.
        rest = list(others)
        assert sum(hidden_of[r] for r in rest) == sum(expected.values())
        for region in rest:
            quota = (count - sizes[chosen]) * sizes[region] / sum(others.values())
            assert abs(hidden_of[region] - expected[region]) <= 1
            assert abs(hidden_of[region] - quota) < len(others)


def test_regions_and_their_cells_are_drawn_evenly() -> None:
    regions = np.repeat([[0, 1, 2, 3]], 4, axis=0)  # four columns of four
    keep = make_masks("region-complete", (4, 4), 0.625, guide=regions, count=2000, seed=1)
    whole = ~keep.any(axis=1)  # (count, 4)
    assert (whole.sum(axis=1) == 1).all()
    assert np.abs(whole.mean(axis=0) - 0.25).max() < 0.05
    assert ((~keep).sum(axis=1) >= 2).all()  # six left, two of each other column
    others = ~keep & ~whole[:, None]
    assert np.abs(others.mean(axis=0) - 0.75 * 0.5).max() < 0.05


def test_a_drawing_is_taken_as_it_is() -> None:
    drawing = np.random.default_rng(0).random((5, 9)) < 0.3
    keep = make_masks("drawn", (5, 9), 0.99, guide=drawing, count=3)
    assert (keep == drawing).all()
    keep[0, 0, 0] ^= True  # its own memory
    assert not np.array_equal(keep[0], drawing)
