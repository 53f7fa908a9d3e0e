"""What must hold: worked out by hand, or published."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from engine.interactions.combining import cloud_models, halo_models
from engine.interactions.effects import OneModel, pair_effects
from engine.interactions.itself import contrasts
from engine.interactions.planning import measure_interactions
from engine.interactions.searching import search
from engine.interactions.world import permutations
from tests.engine.interactions import archipelago
from tests.engine.interactions.making import (
    factorial,
    formula,
    linear,
    table_of,
    world_of,
)


def test_the_cloud_of_a_linear_model_is_a_point() -> None:
    weights = np.array([2.0, -0.5, 1.0])
    x = factorial(3)
    found = measure_interactions(linear(weights), table_of(x, x @ weights + 0.7), rate=0.3)
    assert found.outcome["exact_pairs"] == 3
    assert np.abs(found.scores).max() < 1e-9
    assert np.abs(found.spread()).max() < 1e-9
    assert np.abs(found.strength[~np.eye(3, dtype=bool)]).max() < 1e-9
    assert (found.error == 0).all()


def test_its_effects_and_halo_as_computed_by_hand() -> None:
    # Permuting x_i of f_m moves the output by m w (x' − x): its mean square is 2 m² w². The error
    # is that and (1 + Σ (m − 1) w x)², whose cross terms vanish but for x_i itself.
    weights = np.array([2.0, -0.5])
    x = factorial(2)
    found = measure_interactions(linear(weights), table_of(x, x @ weights + 1), epsilon=0.2)
    masks = found.pair_masks(0)
    by_hand = 2 * masks * weights**2
    assert np.allclose(found.effects[0, :, :2], by_hand, rtol=0, atol=1e-9)
    assert np.allclose(found.loss[0], 1 + ((masks - 1) ** 2 * weights**2).sum(axis=1), atol=1e-12)
    curve = found.halo(0)
    moved = ((curve.masks - 1) ** 2 * weights**2).sum(axis=1)
    assert np.allclose(curve.radius, moved, atol=1e-12)
    # No interaction: an exact circle but for the grid of 1e-4 on which the masks lie.
    assert np.abs(curve.radius - 0.2).max() < 2e-4
    assert np.allclose(np.hypot(curve.x, curve.y), curve.radius)
    assert curve.inside.all()


def test_the_halo_of_a_linear_model_with_columns_that_go_together() -> None:
    # The cross term 2 d_i d_j w_i w_j Cov(x_i, x_j) bends the circle.
    x = np.repeat(factorial(2), [3, 1, 1, 3], axis=0)
    weights = np.array([1.0, 1.0])
    found = measure_interactions(linear(weights), table_of(x, x @ weights + 1), epsilon=0.2)
    curve = found.halo(0)
    d = curve.masks - 1
    # The constant meets no mean of x: that is 0 here.
    by_hand = (d**2).sum(axis=1) + 2 * d[:, 0] * d[:, 1] * 0.5
    assert np.allclose(curve.radius, by_hand, atol=1e-12)
    together = curve.signs.prod(axis=1) > 0
    assert (curve.radius[together] > 0.2).all()
    assert (curve.radius[~together] < 0.2).all()
    assert np.array_equal(curve.inside, ~together)


def toy(epsilon: float) -> np.ndarray:
    """Losses of the halo of x₀ + x₁ + x₀ x₁ at (1, 1), target 3."""
    model = formula(lambda x: x[:, 0] + x[:, 1] + x[:, 0] * x[:, 1], 2)
    # Two equal rows are the single one of the paper: one alone cannot be permuted.
    found = measure_interactions(model, table_of(np.ones((2, 2)), [3.0, 3.0]), epsilon=epsilon)
    assert found.base_loss == 0
    return found.halo_loss[-1, 0]


@pytest.mark.parametrize(
    ("epsilon", "low", "high"), [(0.1, 0.0002, 0.211), (0.5 + 1e-9, 0.0015, 1.129)]
)
def test_the_ranges_of_the_toy(epsilon: float, low: float, high: float) -> None:
    loss = toy(epsilon)
    assert loss.min() == pytest.approx(low, abs=5e-5)  # as they were rounded
    assert loss.max() == pytest.approx(high, abs=5e-4)


def test_why_the_toy_at_a_half_needs_a_hair_more() -> None:
    # One move costs 4 d². Half of ε = 0.5 lies at d = 0.25, on the grid of 1e-4 itself; but a place
    # is accepted only strictly below its budget, so both stop one step before it, at 0.2499.
    def both(d: float) -> float:
        return (4 * d + d**2) ** 2

    assert both(0.25) == pytest.approx(1.129, abs=5e-4)
    assert toy(0.5).max() == pytest.approx(both(0.2499), abs=1e-12)
    assert toy(0.5 + 1e-9).max() == pytest.approx(both(0.25), abs=1e-12)


@pytest.mark.parametrize("name", ["F1", "F2", "F3", "F4"])
def test_archipelagos_true_interactions_rank_first(name: str) -> None:
    function, true = archipelago.FUNCTIONS[name]
    model = formula(function, archipelago.FEATURES)
    found = contrasts(model, archipelago.CONTEXTS, low=-1.0, high=1.0)
    pairs = list(combinations(range(archipelago.FEATURES), 2))
    labels = [pair in true for pair in pairs]
    scores = [found[pair] for pair in pairs]
    assert roc_auc_score(labels, scores) == 1.0
    assert min(s for s, is_true in zip(scores, labels, strict=True) if is_true) > 1e-9


@pytest.mark.parametrize("name", ["F1", "F4"])
def test_archipelagos_closed_formula_is_the_score_of_our_effects(name: str) -> None:
    # A model judged by itself on the four rows of a pair, exactly averaged.
    function, _ = archipelago.FUNCTIONS[name]
    model = formula(function, archipelago.FEATURES)
    found = contrasts(model, archipelago.CONTEXTS, low=-1.0, high=1.0)
    for i, j in ((0, 1), (0, 2), (10, 25), (12, 13), (30, 39), (20, 21)):
        each = []
        for context in archipelago.CONTEXTS:
            x = np.repeat(context[None], 4, axis=0)
            x[:, [i, j]] = factorial(2)
            with torch.no_grad():
                y = function(torch.from_numpy(x)).numpy()
            one = OneModel(world_of(model, table_of(x, y)))
            effects, error = one.pair(i, j)
            assert error[3] == 0
            each.append(abs(effects[2] - effects[0] - effects[1]))
        assert np.mean(each) == pytest.approx(found[i, j], abs=1e-9)


def test_few_permutations_find_what_is_true_less_well() -> None:
    # What the spec measured: exactness matters (1.0 above); five permutations are not enough. What
    # we draw is what a plain loop over the same permutations comes to.
    function, true = archipelago.FUNCTIONS["F4"]
    draw = np.random.default_rng(0)
    x = draw.choice([-1.0, 1.0], (400, archipelago.FEATURES))
    model = formula(function, archipelago.FEATURES)
    with torch.no_grad():
        y = function(torch.from_numpy(x)).numpy()
    pairs = [(i, j) for i, j in combinations(range(0, 40, 2), 2)]
    one = OneModel(world_of(model, table_of(x, y), repeats=5))
    drawn = [[one.draws(s, exact=False).mean() for s in ((i,), (j,), (i, j))] for i, j in pairs]
    drawn_scores = np.array([abs(both - a - b) for a, b, both in drawn])
    plain = {s: moved_loss(function, x, y, s) for pair in pairs for s in (pair, pair[:1], pair[1:])}
    expected = np.array([abs(plain[i, j] - plain[i,] - plain[j,]) for i, j in pairs])
    assert np.allclose(drawn_scores, expected, rtol=0, atol=1e-9)
    labels = [pair in true for pair in pairs]
    found = roc_auc_score(labels, expected.round(9))
    assert roc_auc_score(labels, drawn_scores.round(9)) == found
    assert found < 0.6


def moved_loss(
    function: archipelago.Function, x: np.ndarray, y: np.ndarray, subset: tuple[int, ...]
) -> float:
    """Return φ of a model that is right everywhere, by a plain loop over five permutations."""
    losses = []
    for order in permutations(len(x), 5, 0):
        rows = x.copy()
        rows[:, subset] = x[order][:, subset]
        with torch.no_grad():
            losses.append(((function(torch.from_numpy(rows)).numpy() - y) ** 2).mean())
    return float(np.mean(losses))


def test_all_models_of_halo_and_cloud() -> None:
    steps, signs = halo_models()
    assert len(steps) == 36
    assert (steps.sum(axis=1) == 10).all()
    assert steps.min() == 1
    assert len({(*a, *b) for a, b in zip(steps, signs, strict=True)}) == 36
    steps, signs = cloud_models()
    assert len(steps) == 1 + 66 * 4
    assert (steps.sum(axis=1) <= 10).all()
    assert not signs[0].any()


def test_a_product_interacts_by_a_formula() -> None:
    # f = x y on ±1, y = f: φ_x = φ_y = φ_xy = 2 (the product is drawn anew in each case).
    model = formula(lambda x: x[:, 0] * x[:, 1], 2)
    x = factorial(2)
    world = world_of(model, table_of(x, x[:, 0] * x[:, 1]))
    effects, error = pair_effects(world, np.ones((1, 2)), (0, 1))
    assert np.allclose(effects[0], 2)
    assert not error.any()
    assert search(world, 0.0, np.array([0.1])).status.max() == 0
