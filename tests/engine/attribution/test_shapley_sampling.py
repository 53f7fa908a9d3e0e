from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from captum.attr import ShapleyValueSampling

from engine.attribution.explain import explain, plan
from engine.errors import ParameterError
from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import TensorSpec
from engine.results import Attribution
from tests.engine import reference, zoo
from tests.engine.counting import counted
from tests.engine.refusals import expect_refusal

METHOD = "shapley-sampling"


def wide(columns: int = 7) -> LoadedModel:
    module = zoo.seeded(lambda: zoo.TableNet(features=columns))
    return load_model(module, input_spec=TensorSpec((columns,)), device="cpu")


def by_hand(model: LoadedModel, rows: np.ndarray, orders: int, seed: int) -> np.ndarray:
    """What each column adds in each order and its reverse, ``(orders, columns)``."""
    x = zoo.noise(model)[0].double().numpy()
    dealt = np.random.default_rng([seed, len(rows), 0]).permutation(len(rows))
    found = np.zeros((orders, len(x)))
    for index in range(orders):
        place = np.random.default_rng([seed, index]).permutation(len(x))  # of each column
        order = place.argsort()
        for way in (order, order[::-1]):
            row = rows[dealt[index % len(rows)]].copy()
            before = reference.table_logits(model.module, row)[1]
            for column in way:
                row[column] = x[column]
                after = reference.table_logits(model.module, row)[1]
                found[index, column] += (after - before) / 2
                before = after
    return found


@pytest.mark.parametrize(("orders", "count"), [(6, 1), (8, 4), (14, 4), (3, 5)])
def test_by_hand(orders: int, count: int) -> None:
    model = wide(4)
    rows = zoo.noise(model, count, seed=1)
    each = by_hand(model, rows.double().numpy(), orders, seed=2)
    dealt = np.random.default_rng([2, count, 0]).permutation(count)[np.arange(orders) % count]
    means = [each[dealt == row].mean(axis=0) for row in range(count) if (dealt == row).any()]
    found = explain(
        model, zoo.noise(model), METHOD, 1, background=rows, permutations=orders, seed=2
    )
    assert np.allclose(found.values, np.mean(means, axis=0), rtol=0, atol=1e-6)


@pytest.mark.parametrize("count", [1, 6])
@pytest.mark.parametrize("permutations", [60, 1000])
def test_comes_near_the_definition(permutations: int, count: int) -> None:
    model = wide()
    x, rows = zoo.noise(model), zoo.noise(model, count, seed=1)
    of = reference.worth(
        lambda features: float(reference.table_logits(model.module, features)[1]),
        x[0].double().numpy(),
        rows.double().numpy(),
        np.arange(7),
    )
    found = explain(model, x, METHOD, 1, background=rows, permutations=permutations)
    assert (np.abs(found.values - reference.shapley(of, 7)) < 4 * found.error + 1e-6).all()
    assert abs(found.manifest["outcome"]["completeness"]["gap"]) < 1e-6


def test_more_permutations_less_error() -> None:
    model = wide()
    rows = zoo.noise(model, 5, seed=1)

    def error(permutations: int) -> float:
        found = explain(
            model, zoo.noise(model), METHOD, 1, background=rows, permutations=permutations
        )
        return float(found.error.mean())

    assert error(1600) < error(100) / 2.5


# As many as there are rows and fewer: then the error is that of independent draws, and no less.
@pytest.mark.parametrize(("permutations", "low"), [(120, 0.5), (95, 0.5), (20, 0.8)])
def test_the_error_is_that_of_another_seed(permutations: int, low: float) -> None:
    model = wide()
    x, rows = zoo.noise(model), zoo.noise(model, 40, seed=1)
    runs = [
        explain(model, x, METHOD, 1, background=rows, permutations=permutations, seed=seed)
        for seed in range(30)
    ]
    spread = np.std([run.values for run in runs], axis=0, ddof=1)
    told = np.sqrt(np.mean([np.square(run.error) for run in runs], axis=0))
    assert (told > low * spread).all()
    if permutations > 40:
        assert (told < 2 * spread).all()


def test_agrees_with_captum() -> None:
    model = zoo.load("table")
    x, row = zoo.noise(model), zoo.noise(model, seed=1)
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = ShapleyValueSampling(zoo.build("table")).attribute(
            x, row, target=2, feature_mask=torch.tensor([[0, 1, 1, 1, 2]]), n_samples=3000
        )
    found = explain(model, x, METHOD, 2, background=row, permutations=2000)
    apart = np.abs(found.values - theirs[0, [0, 1, 4]].numpy())
    assert (apart < 4 * found.error + 0.01).all()


def test_of_a_forest() -> None:
    model = zoo.load("forest")
    x, rows = zoo.noise(model), zoo.noise(model, 5, seed=1)
    precise = explain(model, x, "kernel-shap", 1, background=rows)
    found = explain(model, x, METHOD, 1, background=rows, permutations=400)
    assert (np.abs(found.values - precise.values) < 4 * found.error + 1e-6).all()


def test_shown_on_the_way() -> None:
    model = wide()
    shown: list[Attribution] = []
    work = plan(model, zoo.noise(model), METHOD, 1, background=zoo.noise(model, 9), permutations=40)
    watched, alone = work.run(partial=shown.append), work.run()
    assert watched.values.tobytes() == alone.values.tobytes()
    assert watched.error.tobytes() == alone.error.tobytes()
    assert [one.manifest["outcome"]["samples"] for one in shown] == [5, 10, 20]
    half = plan(model, zoo.noise(model), METHOD, 1, background=zoo.noise(model, 9), permutations=20)
    assert np.allclose(shown[-1].values, half.run().values, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("count", "columns"), [(None, 4), (1, 1), (3, 7), (80, 2)])
def test_cost(count: int | None, columns: int) -> None:
    model = wide(columns)
    more: dict[str, Any] = {} if count is None else {"background": zoo.noise(model, count, seed=1)}
    planned = plan(model, zoo.noise(model), METHOD, 0, permutations=12, **more)
    rows = min(64, count or 1)
    assert planned.cost == Cost(12 * 2 * (columns - 1) + rows + 1 + 1)
    with counted(model.module) as count_of:
        planned.run()
    assert count_of.forward == planned.cost.forward


@pytest.mark.parametrize("wrong", [1, 100_001, "many"])
def test_out_of_range(wrong: object) -> None:
    model = wide()
    with expect_refusal(ParameterError, "permutations"):
        explain(model, zoo.noise(model), METHOD, 0, permutations=wrong)
