from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from engine.attribution.explain import explain, plan
from engine.execution.cost import Cost
from tests.engine import reference, zoo
from tests.engine.counting import counted
from tests.engine.masking.painting import PAINTED

METHOD = "gradient-shap"


def drawn(seed: int, samples: int, rows: int) -> tuple[list[int], np.ndarray]:
    """The row and the place on the way of each sample."""
    found = []
    for index in range(samples):
        draw = np.random.default_rng([seed, index])
        found.append((int(draw.integers(rows)), draw.random()))
    return [row for row, _ in found], np.array([place for _, place in found])


def test_of_a_linear_network_by_hand() -> None:
    model = zoo.load("image-linear")
    x, background = zoo.noise(model), zoo.noise(model, 5, seed=1)
    rows, _ = drawn(2, 12, 5)
    ways = (x - background[rows]).double().numpy()
    weights = reference.weight(model.module, "linear.weight").reshape(4, 3, 8, 8)
    found = explain(model, x, METHOD, 1, background=background, samples=12, seed=2)
    assert np.allclose(found.values, weights[1] * ways.mean(axis=0), rtol=0, atol=1e-6)
    error = np.abs(weights[1]) * ways.std(axis=0, ddof=1) / np.sqrt(12)
    assert np.allclose(found.error, error, rtol=0, atol=1e-6)


@pytest.mark.parametrize("target", range(3))
def test_of_a_perceptron_by_hand(target: int) -> None:
    model = zoo.load("mlp")
    x, background = zoo.noise(model), zoo.noise(model, 7, seed=1)
    array, others = x[0].double().numpy(), background.double().numpy()
    rows, places = drawn(0, 30, 7)
    each = []
    for row, place in zip(rows, places, strict=True):
        way = array - others[row]
        gradient = reference.mlp_gradient(model.module, others[row] + place * way, target)
        each.append(way * gradient)
    found = explain(model, x, METHOD, target, background=background, samples=30)
    assert np.allclose(found.values, np.mean(each, axis=0), rtol=0, atol=1e-6)
    assert np.allclose(found.error, np.std(each, axis=0, ddof=1) / np.sqrt(30), rtol=0, atol=1e-6)
    told = found.manifest["outcome"]["completeness"]
    ends = [reference.mlp_logits(model.module, row)[target] for row in others]
    difference = reference.mlp_logits(model.module, array)[target] - np.mean(ends)
    sums = np.sum(each, axis=1)
    assert told["sum"] == pytest.approx(sums.mean(), abs=1e-5)
    assert told["error"] == pytest.approx(sums.std(ddof=1) / np.sqrt(30), abs=1e-5)
    assert told["difference"] == pytest.approx(difference, abs=1e-5)
    assert told["gap"] == pytest.approx(sums.mean() - difference, abs=1e-5)


@pytest.mark.parametrize("name", ["mlp", "tiny-cnn", "tiny-vit"])
def test_the_gap_is_that_of_sampling(name: str) -> None:
    model = zoo.load(name)
    background = zoo.noise(model, 6, seed=1)
    found = explain(model, zoo.noise(model), METHOD, 0, background=background, samples=300)
    told = found.manifest["outcome"]["completeness"]
    assert abs(told["gap"]) < 4 * told["error"]


def test_with_one_baseline_it_tends_to_integrated_gradients() -> None:
    model = zoo.load("mlp")
    x = zoo.noise(model)
    exact = explain(model, x, "integrated-gradients", 0, baseline="mean", steps=200)
    found = explain(model, x, METHOD, 0, samples=2000)
    assert np.all(np.abs(found.values - exact.values) < 4 * found.error + 1e-5)


def test_without_a_background_the_baselines_are_our_own() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    names = ["blur", "mean", "black", "white"]
    found = explain(model, x, METHOD, 0, samples=9)
    told = found.manifest["outcome"]["background"]
    assert told == {"rows": 4, "of": 4, "fills": names}
    assert found.manifest["request"]["background"] is None
    rows = torch.cat([PAINTED[name].values(model, x) for name in names])
    same = explain(model, x, METHOD, 0, samples=9, background=rows)
    assert np.allclose(found.values, same.values, rtol=0, atol=1e-6)


def test_without_a_background_tables_have_only_the_mean() -> None:
    model = zoo.load("mlp")
    found = explain(model, zoo.noise(model), METHOD, 0, samples=3)
    assert found.manifest["outcome"]["background"] == {"rows": 1, "of": 1, "fills": ["mean"]}


@pytest.mark.parametrize(("rows", "expected"), [(None, 4), (3, 3), (64, 64), (90, 64)])
def test_cost(rows: int | None, expected: int) -> None:
    model = zoo.load("tiny-cnn")
    more: dict[str, Any] = {} if rows is None else {"background": zoo.noise(model, rows)}
    planned = plan(model, zoo.noise(model), METHOD, 0, samples=6, **more)
    assert planned.cost == Cost(6 + 1 + expected + 1, 6)
    with counted(model.module) as count:
        found = planned.run()
    assert (count.forward, count.backward) == (planned.cost.forward, planned.cost.backward)
    if rows is not None:
        told = found.manifest["outcome"]["background"]
        assert told == {"rows": expected, "of": rows, "fills": []}


def test_columns_of_a_table_have_one_value_and_one_error_each() -> None:
    model = zoo.load("table")
    x, background = zoo.noise(model), zoo.noise(model, 7, seed=1)
    rows, places = drawn(0, 30, 7)
    points = background[rows] + torch.from_numpy(places)[:, None].float() * (x - background[rows])
    leaves = points.requires_grad_()
    (slopes,) = torch.autograd.grad(zoo.build("table")(leaves)[:, 1].sum(), leaves)
    shares = ((x - background[rows]) * slopes).double().numpy()
    each = np.stack([shares[:, 0], shares[:, 1:4].sum(axis=1), shares[:, 4]], axis=1)
    found = explain(model, x, METHOD, 1, background=background, samples=30)
    assert np.allclose(found.values, each.mean(axis=0), rtol=0, atol=1e-6)
    assert np.allclose(found.error, each.std(axis=0, ddof=1) / np.sqrt(30), rtol=0, atol=1e-6)


def test_the_error_of_a_column_is_that_of_another_seed() -> None:
    model = zoo.load("table")
    x, rows = zoo.noise(model), zoo.noise(model, 9, seed=1)
    runs = [
        explain(model, x, METHOD, 1, background=rows, samples=60, seed=seed) for seed in range(30)
    ]
    spread = np.std([run.values for run in runs], axis=0, ddof=1)
    told = np.mean([run.error for run in runs], axis=0)
    assert (told < 2 * spread).all()
    assert (told > spread / 2).all()


def test_the_base_is_the_mean_score_of_the_baselines() -> None:
    model = zoo.load("tiny-cnn")
    rows = zoo.noise(model, 5, seed=1)
    with torch.no_grad():
        expected = float(zoo.build("tiny-cnn")(rows).softmax(dim=1)[:, 1].mean())
    found = explain(
        model, zoo.noise(model), METHOD, 1, background=rows, samples=3, output="probability"
    )
    assert found.manifest["outcome"]["base"] == pytest.approx(expected, abs=1e-6)
