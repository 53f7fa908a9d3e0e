"""The fast search is the slow one; both stop where the loss does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from engine.inputs.tables import load_table
from engine.interaction_results import NO_EFFECT, NOT_MASKABLE, NOT_REACHABLE, REACHED
from engine.interactions.bracketing import bracket
from engine.interactions.searching import search
from engine.interactions.walking import CAP, PER_UNIT, walk
from engine.models.learning_columns import learn_columns
from engine.models.loading import load_model
from tests.engine.interactions.making import (
    base_of,
    factorial,
    formula,
    linear,
    table_of,
    world_of,
)
from tests.engine.tables import nets

EPSILONS = 0.06 * np.array([0.2, 0.4, 0.6, 0.8, 1.0])
BUDGETS = EPSILONS[:, None] * np.arange(11) / 10


def by_hand(rise: Callable[[float], float], budgets: np.ndarray) -> list[int]:
    """The published search of one direction, written once more as a plain loop."""
    place, found = 0, []
    for budget in budgets:
        for step in (1000, 100, 10, 1):
            while place + step <= CAP and rise((place + step) / PER_UNIT) < budget:
                place += step
        found.append(place)
    return found


class Rises:
    """Some curves as the searches ask for them, and how often they did."""

    def __init__(self, *curves: Callable[[float], float]) -> None:
        self.curves, self.asked = curves, 0

    def __call__(self, directions: np.ndarray, places: np.ndarray) -> np.ndarray:
        self.asked += len(places)
        each = zip(directions, places, strict=True)
        return np.array([self.curves[i](place / PER_UNIT) for i, place in each])


CURVES: list[Callable[[float], float]] = [
    lambda d: 0.7 * d**2,
    lambda d: 0.01 * d,
    lambda d: d**2 - 0.03 * d,  # falls first, then rises
    lambda d: 1e-4 * d**2,
    lambda d: 0.04 * np.tanh(d),  # saturates below ε
    lambda d: 0.013 * np.floor(7 * d),  # steps, as of trees
    lambda d: 50 * d**4,
]


@pytest.mark.parametrize("ahead", [1, 7])
def test_the_slow_search_is_the_published_one(ahead: int) -> None:
    rises = Rises(*CURVES)
    places, idle = walk(rises, BUDGETS[-1], np.arange(len(CURVES)), ahead=ahead)
    assert not idle.any()
    for index, curve in enumerate(CURVES):
        assert places[:, index].tolist() == by_hand(curve, BUDGETS[-1])


def test_the_fast_search_finds_the_same_in_far_fewer_questions() -> None:
    fast, slow = Rises(*CURVES), Rises(*CURVES)
    directions = np.arange(len(CURVES))
    places, idle, walked = bracket(fast, BUDGETS, directions)
    assert not idle.any()
    assert not walked.any()
    for rate, budgets in enumerate(BUDGETS):
        assert np.array_equal(places[rate], walk(slow, budgets, directions)[0])
    assert fast.asked * 4 < slow.asked


def test_a_feature_with_an_effect_only_far_away_is_not_taken_for_idle() -> None:
    def far(d: float) -> float:
        return 0.05 if 4.2 < d < 4.8 else 0.0

    rises = Rises(far, lambda _: 0.0)
    places, idle, walked = bracket(rises, BUDGETS, np.arange(2))
    assert idle.tolist() == [False, True]
    assert walked.tolist() == [True, False]
    for rate, budgets in enumerate(BUDGETS):
        assert places[rate, :, 0].tolist() == by_hand(far, budgets)


def test_a_loss_that_rises_and_falls_is_searched_slowly_and_counted() -> None:
    def bumpy(d: float) -> float:
        return float(0.02 * np.sin(20 * d) ** 2 + 0.005 * d)

    rises = Rises(bumpy, CURVES[0])
    places, _, walked = bracket(rises, BUDGETS, np.arange(2))
    assert walked.tolist() == [True, False]
    for rate, budgets in enumerate(BUDGETS):
        assert places[rate, :, 0].tolist() == by_hand(bumpy, budgets)


@given(
    st.lists(st.floats(0, 3, allow_subnormal=False), min_size=1, max_size=6),
    st.floats(-0.05, 0.2, allow_subnormal=False),
    st.floats(1e-3, 10, allow_subnormal=False),
)
def test_fast_equals_slow_on_convex_curves(
    kinks: list[float], slope: float, epsilon: float
) -> None:
    def curve(d: float) -> float:
        return slope * d + sum(max(0.0, d - kink) for kink in kinks) * 0.1

    budgets = epsilon * np.arange(11) / 10
    places, idle, walked = bracket(Rises(curve), budgets[None], np.arange(1))
    assert not walked.any()
    expected, still = walk(Rises(curve), budgets, np.arange(1))
    assert idle.tolist() == still.tolist()
    assert np.array_equal(places[0], expected)


@pytest.mark.parametrize("kind", ["net", "softmax", "forest", "regression"])
def test_fast_equals_slow_on_real_models(kind: str) -> None:
    model: Any = {
        "net": nets.mixed_net,
        "softmax": lambda: nets.mixed_net(2),
        "forest": nets.forest,
        "regression": lambda: load_model("diabetes-mlp", device="cpu"),
    }[kind]()
    table = load_table("sample:diabetes") if kind == "regression" else nets.mixed_table()
    if kind == "forest":
        table = nets.table_of(**{n: table.frame[n] for n in ("size", "weight", "age", "label")})
        model.spec = replace(model.table_spec, label="label")
    world = world_of(model, table.sampled(60))
    base = base_of(world)
    epsilons = base * np.array([0.05, 0.1])
    fast, slow = (search(world, base, epsilons, slow=way) for way in (False, True))
    assert np.array_equal(fast.masks, slow.masks)
    assert np.array_equal(fast.status, slow.status)
    # A forest is all steps: nearly everything is searched slowly, and counted.
    assert (fast.asked < slow.asked) if kind != "forest" else fast.slow >= 5


def test_masks_of_a_linear_model_as_computed_by_hand() -> None:
    # y = f(x) + 1 on uncorrelated ±1 columns: moving m by d costs w² d², so d = √t / |w|.
    weights = np.array([2.0, -0.5, 0.0])
    x = factorial(3)
    world = world_of(linear(weights), table_of(x, x @ weights + 1))
    base = base_of(world)
    assert base == pytest.approx(1, abs=1e-12)
    found = search(world, base, np.array([0.1]))
    budgets = 0.1 * np.arange(11) / 10
    for feature in (0, 1):
        moved = np.sqrt(budgets) / abs(weights[feature])
        for place, sign in ((0, 1), (1, -1)):
            masks = found.masks[0, :, feature, place]
            assert np.allclose(masks, 1 + sign * moved, rtol=0, atol=1.001e-4)
            assert (np.abs(masks - 1) <= moved + 1e-12).all()
    assert (found.masks[0, :, 2] == 1).all()
    assert (found.status[0, :, 2] == NO_EFFECT).all()
    assert (found.status[0, :, :2] == REACHED).all()


def test_a_loss_that_saturates_is_told_as_not_reachable() -> None:
    model = formula(lambda x: torch.tanh(x[:, 0]) + x[:, 1], 2)
    x = factorial(2)
    world = world_of(model, table_of(x, np.tanh(x[:, 0]) + x[:, 1] + 1))
    found = search(world, base_of(world), np.array([0.5]))
    # tanh never exceeds 1: going up costs at most (1 − tanh 1)² = 0.0568, beyond one tenth of ε.
    assert found.status[0, 1, 0, 0] == REACHED
    assert (found.status[0, 2:, 0, 0] == NOT_REACHABLE).all()
    assert (found.masks[0, 2:, 0, 0] == 101).all()
    assert (found.losses[0, 2:, 0, 0] - base_of(world) < 0.0569).all()
    assert (found.status[0, :, 0, 1] == REACHED).all()


def test_names_of_categories_that_an_estimator_is_given_keep_m_at_one() -> None:
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    table = nets.mixed_table()
    frame = table.frame[["size", "kind", "label"]]
    encoder = make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough")
    fitted = make_pipeline(encoder, LogisticRegression()).fit(frame[["size", "kind"]], frame.label)
    given_table = nets.table_of(**{name: frame[name] for name in frame})
    model = load_model(fitted, input_spec=learn_columns(given_table, "label"), device="cpu")
    world = world_of(model, given_table)
    base = base_of(world)
    found = search(world, base, np.array([0.1 * base]))
    assert (found.status[0, :, 1] == NOT_MASKABLE).all()
    assert (found.masks[0, :, 1] == 1).all()
    assert (found.status[0, :, 0] == REACHED).all()


def test_one_hot_columns_share_one_m() -> None:
    model, table = nets.mixed_net(), nets.mixed_table()
    world = world_of(model, table)
    masks = np.ones((1, 4))
    masks[0, 3] = 0.3  # the category
    x = model.prepare_table(table).double()
    x[:, 3:] *= 0.3
    with torch.no_grad():
        logits = model.module.double()(x)[:, 0].numpy()
    truth = (table.frame["label"] == "yes").to_numpy()
    expected = np.log1p(np.exp(np.where(truth, -logits, logits))).mean()
    assert world.losses(masks)[0] == pytest.approx(expected, abs=1e-12)
