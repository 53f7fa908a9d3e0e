"""Effects, errors, sets and rates, each against a plain loop or an invariance."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from random import Random
from threading import Event

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import engine
from engine.errors import Cancelled
from engine.execution.passes import Passes
from engine.inputs.tables import load_table
from engine.interaction_results import Interactions
from engine.interactions.columns_first import columns_first
from engine.interactions.effects import OneModel, pair_effects
from engine.interactions.planning import measure_interactions, plan_interactions
from engine.interactions.samples import Samples
from engine.interactions.searching import search
from engine.interactions.world import permutations
from engine.models.loading import load_model
from engine.models.table_specs import Column, TableSpec
from engine.replay import replay
from engine.results import Result, load_result
from tests.engine.interactions.making import base_of, formula, table_of, world_of
from tests.engine.tables import nets


@cache
def compas() -> Interactions:
    return measure_interactions(load_model("compas-logistic", device="cpu"), "sample:compas")


@cache
def drawn() -> Interactions:
    table = nets.mixed_table(150)
    return measure_interactions(nets.mixed_net(), table, pairs=["size:kind"], repeats=40, seed=3)


def log_loss(logits: np.ndarray, truth: np.ndarray) -> float:
    return float(np.log1p(np.exp(np.where(truth, -logits, logits))).mean())


def test_effects_are_those_of_a_plain_loop_over_permutations() -> None:
    found, table, model = drawn(), nets.mixed_table(150), nets.mixed_net()
    x = model.prepare_table(table).double().numpy()
    truth = (table.frame["label"] == "yes").to_numpy()
    bank = permutations(150, 40, 3)
    net = model.module.double()
    moved = {0: [0], 3: [3, 4, 5]}  # a number, and the three features of a category

    def loss(rows: np.ndarray) -> float:
        with torch.no_grad():
            return log_loss(net(torch.from_numpy(rows))[:, 0].numpy(), truth)

    for index in (0, 1, 100, 264):
        m = found.mask(0, index)
        masked = x * m[[0, 1, 2, 3, 3, 3]]
        draws = []
        for order in bank:
            each = []
            for features in ((0,), (3,), (0, 3)):
                rows = masked.copy()
                inputs = [place for feature in features for place in moved[feature]]
                rows[:, inputs] = masked[order][:, inputs]
                each.append(loss(rows) - loss(masked))
            draws.append(each)
        told = np.array(draws)
        assert np.allclose(found.effects[0, index], told.mean(axis=0), atol=1e-6)
        score = told[:, 2] - told[:, 0] - told[:, 1]
        assert found.scores[0, index] == pytest.approx(score.mean(), abs=1e-6)
        assert found.error[0, index, 3] == pytest.approx(
            score.std(ddof=1) / np.sqrt(len(bank)), abs=1e-6
        )
        assert found.loss[0, index] == pytest.approx(loss(masked), abs=1e-12)
    assert found.outcome["exact_pairs"] == 0


def test_the_exact_average_is_what_many_permutations_come_to() -> None:
    world = world_of(nets.mixed_net(), nets.mixed_table(60), repeats=4000)
    subsets = [(0,), (3,), (0, 3)]
    ones = np.ones((1, 4))
    drawn_losses = world.moved(ones, subsets, exact=False)
    exact = world.moved(ones, subsets, exact=True)
    for many, one in zip(drawn_losses, exact, strict=True):
        error = many.std(ddof=1) / np.sqrt(many.shape[1])
        assert one.shape == (1, 1)
        assert abs(many.mean() - one[0, 0]) < 4 * error


def test_the_error_covers_the_truth_and_one_bank_makes_it_small() -> None:
    world = world_of(nets.mixed_net(), nets.mixed_table(60), repeats=30)
    exact, _ = OneModel(world_of(nets.mixed_net(), nets.mixed_table(60), repeats=100)).pair(0, 3)
    draws = [world.moved(np.ones((1, 4)), [s], exact=False)[0] for s in ((0,), (3,), (0, 3))]
    score = draws[2] - draws[0] - draws[1] + world.losses(np.ones((1, 4)))
    error = score.std(ddof=1) / np.sqrt(30)
    assert abs(score.mean() - (exact[2] - exact[0] - exact[1])) < 4 * error
    # One bank for all: most of what is drawn cancels.
    assert error < sum(one.std(ddof=1) for one in draws) / np.sqrt(30)


@given(st.permutations(range(3)), st.integers(2, 3))
def test_the_order_of_features_and_rows_that_stand_twice_change_nothing(
    order: list[int], times: int
) -> None:
    weights = torch.tensor([1.0, -0.7, 0.4], dtype=torch.float64)

    def product(x: torch.Tensor) -> torch.Tensor:
        return x @ weights + x[:, 0] * x[:, 1]

    draw = np.random.default_rng(5)
    x = draw.integers(-1, 3, (12, 3)).astype(float)
    y = x @ weights.numpy() + draw.normal(size=12)
    before = world_of(formula(product, 3), table_of(x, y))
    back = list(np.argsort(order))
    turned = formula(lambda z: product(z[:, back]), 3)
    many = np.repeat(x[:, order], times, axis=0)
    after = world_of(turned, table_of(many, np.repeat(y, times)))
    masks = np.array([[1.0, 1, 1], [0.5, 1.7, 1]])
    for i, j in ((0, 1), (0, 2), (1, 2)):
        pair = back[i], back[j]
        expected, _ = pair_effects(before, masks, (i, j))
        found, error = pair_effects(after, masks[:, order], pair)
        assert np.allclose(found, expected, atol=1e-12)
        assert not error.any()


@given(st.permutations(range(3)), st.integers(1, 3), st.randoms(use_true_random=False))
def test_masks_follow_their_features_and_not_the_order_of_rows(
    order: list[int], times: int, chance: Random
) -> None:
    weights = torch.tensor([1.0, -0.7, 0.4], dtype=torch.float64)

    def product(x: torch.Tensor) -> torch.Tensor:
        return x @ weights + x[:, 0] * x[:, 1]

    draw = np.random.default_rng(5)
    x = draw.integers(-1, 3, (12, 3)).astype(float)
    y = x @ weights.numpy() + draw.normal(size=12)
    back = list(np.argsort(order))
    turned = formula(lambda z: product(z[:, back]), 3)
    rows = list(range(12)) * times
    chance.shuffle(rows)
    before = world_of(formula(product, 3), table_of(x, y))
    after = world_of(turned, table_of(x[rows][:, order], y[rows]))
    # A budget beside round numbers: none lies on the grid itself, where rounding would decide.
    epsilon = np.array([0.0314159])
    base = base_of(before)
    assert base_of(after) == pytest.approx(base, abs=1e-12)
    found, expected = search(after, base, epsilon), search(before, base, epsilon)
    assert np.abs(found.masks - expected.masks[:, :, order]).max() < 1e-9
    assert np.array_equal(found.status, expected.status[:, :, order])


@given(st.floats(0.1, 10), st.floats(-3, 3))
def test_a_scale_that_the_model_absorbs_changes_nothing(scale: float, shift: float) -> None:
    spec = TableSpec((Column("x0", mean=0.2, std=1.5), Column("x1")), label="y", task="regression")
    moved = TableSpec(
        (Column("x0", mean=0.2 * scale + shift, std=1.5 * scale), Column("x1")),
        label="y",
        task="regression",
    )
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    draw = np.random.default_rng(1)
    x = draw.normal(size=(20, 2))
    y = draw.normal(size=20)
    other = x.copy()
    other[:, 0] = x[:, 0] * scale + shift
    first, second = (
        pair_effects(
            world_of(load_model(net, input_spec=told, classes=["v"], device="cpu"), table_of(z, y)),
            np.array([[1.0, 1.0], [0.3, 1.2]]),
            (0, 1),
        )[0]
        for told, z in ((spec, x), (moved, other))
    )
    assert np.allclose(first, second, atol=1e-5)


def test_turned_axes_say_what_the_network_says() -> None:
    model = nets.mixed_net(3)
    turned = columns_first(model)
    assert turned is not model
    x = model.prepare_table(nets.mixed_table())
    before = x.clone()
    assert torch.allclose(turned.forward(x), model.forward(x), atol=1e-6)
    assert torch.equal(x, before)
    assert turned.lock is model.lock
    formula_model = formula(lambda x: x[:, 0], 2)
    assert columns_first(formula_model) is formula_model


def test_a_smaller_rate_is_answered_from_what_is_there() -> None:
    found = compas()
    small = found.epsilon / 5
    assert (found.members(small) <= found.members()).all()
    assert found.members(small).sum() < found.members().sum()
    assert found.members()[:, 0].all()  # the reference is always in it
    narrow, wide = found.spread(small), found.spread()
    assert (narrow[:, 0] >= wide[:, 0]).all()
    assert (narrow[:, 2] <= wide[:, 2]).all()
    assert np.allclose(found.epsilons, found.epsilon * np.array([0.2, 0.4, 0.6, 0.8, 1]))
    again = measure_interactions(
        load_model("compas-logistic", device="cpu"),
        "sample:compas",
        rate=0.02,
        pairs=["male:priors_any"],
    )
    # A nested rate has a search of its own: it is that of the rate asked for by itself.
    assert np.allclose(again.masks[-1], found.masks[0], rtol=0, atol=1e-9)
    assert again.status.shape == (5, 11, 6, 2)


def test_masks_spend_their_budgets_and_no_more() -> None:
    found = compas()
    steps = np.arange(11)[None, :, None, None] / 10
    budgets = found.epsilons[:, None, None, None] * steps
    risen = found.search_loss - found.base_loss
    assert (risen <= budgets + 1e-6 * found.epsilon).all()
    spent = (
        risen[:, 1:][found.status[:, 1:] == 0]
        / np.broadcast_to(budgets[:, 1:], risen[:, 1:].shape)[found.status[:, 1:] == 0]
    )
    assert spent.min() > 0.95  # a step of 1e-4 more would be too much


def test_the_halo_of_the_largest_rate_is_part_of_the_cloud() -> None:
    found = compas()
    for pair in range(len(found.pairs)):
        curve = found.halo(pair)
        for steps, signs, radius in zip(curve.steps, curve.signs, curve.radius, strict=True):
            (place,) = np.flatnonzero(
                (found.steps == steps).all(axis=1) & (found.signs == signs).all(axis=1)
            )
            assert found.loss[pair, place] - found.base_loss == pytest.approx(radius, abs=1e-12)
        assert np.array_equal(curve.inside, curve.radius <= curve.expected)
        assert (np.diff(curve.angle) >= 0).all()


def test_the_angle_lies_in_the_quadrant_of_the_moves() -> None:
    curve = compas().halo(0)
    right, up = curve.masks[:, 0] > 1, curve.masks[:, 1] > 1
    assert np.array_equal(np.cos(curve.angle) > 0, right)
    assert np.array_equal(np.sin(curve.angle) > 0, up)


def test_signs_that_all_models_agree_on() -> None:
    product = formula(lambda x: x[:, 0] + x[:, 1] + 2 * x[:, 0] * x[:, 1], 2)
    x = np.array([[a, b] for a in (0.0, 1) for b in (0.0, 1)])
    with torch.no_grad():
        y = product.module(torch.from_numpy(x))[:, 0].numpy() + 0.1
    found = measure_interactions(product, table_of(x, y), epsilon=0.005)
    sign = np.sign(found.spread()[0])
    assert found.agreement()[0] == 1
    assert sign[0] == sign[2]
    assert compas().agreement().max() < 1


def test_reliance_as_difference_and_ratio() -> None:
    found = compas()
    low, high = found.reliance_range().T
    assert (low <= found.reliance + 1e-7).all()
    assert (found.reliance <= high + 1e-7).all()
    ratio = found.ratio(found.effects[0, 0], found.loss[0, 0])
    assert np.allclose(ratio, 1 + found.effects[0, 0] / found.base_loss)


class Kept:
    """Finished results by their keys; stops the work after some pairs."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.results: dict[str, Result] = {}
        self.stop = Event()
        self._left = stop_after

    def find(self, key: str) -> Result | None:
        return self.results.get(key)

    def keep(self, result: Result) -> None:
        self.results[result.key] = result
        if self._left is not None:
            self._left -= 1
            if not self._left:
                self.stop.set()


def test_work_that_was_stopped_goes_on_from_the_last_pair() -> None:
    model = load_model("compas-logistic", device="cpu")
    planned = plan_interactions(model, "sample:compas")
    kept = Kept(stop_after=4)
    with pytest.raises(Cancelled):
        planned.run(cancel=kept.stop, keeper=kept)
    assert len(kept.results) == 4
    found = planned.run(keeper=kept)
    assert found.outcome["resumed_pairs"] == 4
    whole = compas()
    assert found.outcome["passes"]["forward"] < whole.outcome["passes"]["forward"]
    for name in whole.arrays:
        one, other = getattr(found, name), getattr(whole, name)
        assert (one is other is None) or np.array_equal(one, other, equal_nan=True)


def test_memory_that_runs_out_halves_the_chunk_and_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = drawn()
    real, refused = Passes.forward, []

    def tight(self: Passes, batch: torch.Tensor, rows: int | None = None) -> torch.Tensor:
        if len(batch) > 5000:
            refused.append(len(batch))
            raise torch.cuda.OutOfMemoryError("out of memory")
        return real(self, batch, rows)

    monkeypatch.setattr(Passes, "forward", tight)
    model, table = nets.mixed_net(), nets.mixed_table(150)
    found = measure_interactions(model, table, pairs=["size:kind"], repeats=40, seed=3)
    assert refused
    assert len(refused) < 10  # it is not tried again with every batch
    assert np.allclose(found.scores, expected.scores, atol=1e-6)
    assert found.outcome["chunk"] <= 5000


def test_progress_never_exceeds_what_is_promised_and_the_cost_is_a_bound() -> None:
    told: list[tuple[int, int]] = []
    planned = plan_interactions(nets.mixed_net(), nets.mixed_table(60), repeats=30)
    found = planned.run(lambda done, total: told.append((done, total)))
    assert all(done <= total for done, total in told)
    assert told[-1][0] == told[-1][1] or told[-1][0] > 0.5 * told[-1][1]
    assert found.outcome["passes"]["forward"] <= planned.cost.forward
    assert told[0][1] == planned.usual, "as a rule; the bound only once it is passed"


def test_more_passes_than_usual_are_told_against_the_bound() -> None:
    told: list[tuple[int, int]] = []
    planned = plan_interactions(nets.mixed_net(), nets.mixed_table(60), repeats=30)
    replace(planned, usual=40).run(lambda done, total: told.append((done, total)))
    assert all(done <= total for done, total in told)
    assert {total for done, total in told if done > 40} >= {planned.cost.forward}


def test_a_plan_looks_closely_at_no_more_pairs_than_are_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # 30 columns have 435 pairs; the rows of each would be sorted to know its exact cost.
    model, table = load_model("cancer-mlp", device="cpu"), load_table("sample:cancer")
    looked: list[int] = []
    real = Samples.size_multiplied

    def counted(self: Samples, columns: np.ndarray) -> int:
        looked.append(len(columns))
        return real(self, columns)

    monkeypatch.setattr(Samples, "size_multiplied", counted)
    first, second = model.table_spec.names[:2]
    planned = plan_interactions(model, table, pairs=[(first, second)], repeats=30, rows=60)
    assert len(looked) <= 3
    assert planned.run().outcome["passes"]["forward"] <= planned.cost.forward


def test_it_saves_loads_and_replays(tmp_path: object) -> None:
    path = f"{tmp_path}/found.safetensors"
    compas().save(path)
    loaded = load_result(path)
    assert isinstance(loaded, Interactions)
    assert np.array_equal(loaded.scores, compas().scores)
    again = replay(loaded)
    assert again.verdict in ("equal to the bit", "within tolerance")


@pytest.mark.parametrize("name", ["compas-mlp", "diabetes-mlp"])
def test_models_that_were_trained_again_are_told_apart(name: str) -> None:
    table = load_table("sample:compas" if name == "compas-mlp" else "sample:diabetes")
    pairs = ["male:priors_any"] if name == "compas-mlp" else ["bmi:s5"]
    model = load_model(name, device="cpu")
    before = model.digest
    found = measure_interactions(model, table, pairs=pairs, retrained=4, repeats=30, rows=300)
    assert found.other_loss is not None
    assert found.other_scores is not None
    assert found.other_scores.shape == (1, 4)
    assert len(np.unique(found.other_loss)) == 4
    assert model.digest == before
    assert found.other_members().any()
    told = found.manifest["display"]["others"]
    assert [one["share"] for one in told] == [1.0, 0.8, 0.6, 1.0]
    again = measure_interactions(model, table, pairs=pairs, retrained=4, repeats=30, rows=300)
    assert np.array_equal(found.other_effects, again.other_effects)


def test_an_estimator_is_trained_again_too() -> None:
    model = nets.forest()
    table = nets.mixed_table()
    found = measure_interactions(
        model, table, label="label", pairs=["size:age"], rows=40, retrained=2, rate=0.5
    )
    assert found.other_loss is not None
    assert found.other_loss[0] != found.other_loss[1]
    assert (found.other_loss > 0).all()


def test_a_ball_of_three_and_a_fourth_as_colour() -> None:
    names = ["age_under_21", "priors_any", "juvenile_any", "male"]
    model = load_model("compas-logistic", device="cpu")
    three = engine.interaction_ball(model, "sample:compas", names[:3])
    four = engine.interaction_ball(model, "sample:compas", names)
    assert three.steps.shape == (402, 3)  # the lattice points of an octahedron of radius 10
    assert (three.steps.sum(axis=1) == 10).all()
    points = three.points()
    assert np.allclose(np.linalg.norm(points, axis=1), np.abs(three.loss - three.base_loss))
    assert four.fourth is not None
    assert set(np.abs(four.fourth) * 10) == set(range(11))
    assert three.fourth is None
    # Models that leave the third feature alone are those of the pair's cloud.
    pair = measure_interactions(model, "sample:compas", pairs=["age_under_21:priors_any"])
    flat = (three.steps == [3, 7, 0]).all(axis=1) & (three.signs == [1, -1, 0]).all(axis=1)
    same = (pair.steps == [3, 7]).all(axis=1) & (pair.signs == [1, -1]).all(axis=1)
    assert three.loss[flat][0] == pytest.approx(pair.loss[0, same][0], abs=1e-12)
    assert three.manifest["display"]["subsets"][-1] == [0, 2, 4]
    assert len(four.effects) == 15


def test_a_linear_ball_is_a_sphere() -> None:
    weights = torch.tensor([2.0, -0.5, 1.0], dtype=torch.float64)
    x = np.array([[a, b, c] for a in (-1.0, 1) for b in (-1.0, 1) for c in (-1.0, 1)])
    y = x @ weights.numpy() + 1
    found = engine.interaction_ball(
        formula(lambda z: z @ weights, 3), table_of(x, y), [0, 1, 2], epsilon=0.2
    )
    radius = np.linalg.norm(found.points(), axis=1)
    assert np.abs(radius - 0.2).max() < 3e-4
    assert abs(found.effects[6] - found.effects[:3].sum()) < 1e-9


def test_compas_as_context(capsys: pytest.CaptureFixture[str]) -> None:
    # Not a target: the ranges depend on how features are coded.
    found = measure_interactions(
        load_model("compas-logistic", device="cpu"), "sample:compas", rate=0.05
    )
    assert found.base_loss == pytest.approx(0.633, abs=0.01)
    published = {
        "age_under_21": (1.08, 1.14),
        "race_african_american": (0.92, 1.01),
        "priors_any": (1.12, 1.37),
        "male": (0.90, 0.99),
        "juvenile_any": (1.28, 1.39),
        "charge_felony": (1.02, 1.07),
    }
    low, high = found.reliance_range(ratio=True).T
    with capsys.disabled():
        print()
        for name, a, b in zip(found.columns, low, high, strict=True):
            there = published[name]
            print(f"  {name}: here {a:.2f} … {b:.2f}, published {there[0]} … {there[1]}")
    assert (low <= 1 + found.reliance / found.base_loss).all()
    assert high.argmax() in (found.columns.index("priors_any"), 0, 4)


def test_a_table_in_hand_needs_no_file() -> None:
    frame = pd.DataFrame({"x0": [0.0, 1, 0, 1], "x1": [0.0, 0, 1, 1], "y": [0.1, 1, 2, 3.2]})
    found = measure_interactions(formula(lambda x: x[:, 0] + 2 * x[:, 1], 2), frame)
    assert found.outcome["samples"] == 4


def test_what_a_masked_model_says_of_a_row() -> None:
    model, table = nets.mixed_net(), nets.mixed_table(150)
    masks = np.stack([drawn().mask(0, index) for index in (0, 40, 200)])
    found = engine.predict_with_masks(model, table.row(7), masks)
    x = model.prepare(table.row(7))
    for m, told in zip(masks, found, strict=True):
        with torch.no_grad():
            logit = model.module(x * torch.from_numpy(m[[0, 1, 2, 3, 3, 3]]).float())
        assert told == pytest.approx(nets.sigmoid(logit.numpy())[0], abs=1e-6)
    with pytest.raises(engine.HaloscopeError, match="masks of 3 features; the input has 4"):
        engine.predict_with_masks(model, table.row(7), np.ones((1, 3)))
