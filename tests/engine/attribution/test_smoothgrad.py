from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.attribution.explain import explain, plan
from engine.errors import ParameterError
from engine.execution.cost import Cost
from tests.engine import reference, zoo
from tests.engine.refusals import expect_refusal

METHOD = "smoothgrad"


def test_of_a_linear_network_is_its_weights_without_error() -> None:
    model = zoo.load("image-linear")
    weights = reference.weight(model.module, "linear.weight").reshape(4, 3, 8, 8)
    found = explain(model, zoo.noise(model), METHOD, 3, samples=5)
    assert np.allclose(found.values, weights[3], rtol=0, atol=1e-7)
    assert found.error is not None
    assert np.abs(found.error).max() < 1e-7


@pytest.mark.parametrize("target", range(3))
@pytest.mark.parametrize(("samples", "noise", "seed"), [(2, 0.15, 0), (21, 0.5, 7), (9, 1.0, -4)])
def test_of_a_perceptron_by_hand(target: int, samples: int, noise: float, seed: int) -> None:
    model = zoo.load("mlp")
    x = zoo.noise(model)
    array = x[0].double().numpy()
    sigma = noise * (array.max() - array.min())
    draws = [
        np.random.default_rng([seed % 2**64, index]).standard_normal(5, np.float32)
        for index in range(samples)
    ]
    each = np.stack(
        [reference.mlp_gradient(model.module, array + sigma * draw, target) for draw in draws]
    )
    found = explain(model, x, METHOD, target, samples=samples, noise=noise, seed=seed)
    assert np.allclose(found.values, each.mean(axis=0), rtol=0, atol=1e-6)
    error = each.std(axis=0, ddof=1) / np.sqrt(samples)
    assert found.error is not None
    assert np.allclose(found.error, error, rtol=0, atol=1e-6)
    assert found.manifest["outcome"]["samples"] == samples


def test_without_noise_is_the_gradient() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    found = explain(model, x, METHOD, 1, samples=3, noise=0)
    assert np.allclose(found.values, explain(model, x, "gradient", 1).values, rtol=0, atol=1e-6)


def test_the_error_is_that_of_another_seed() -> None:
    model = zoo.load("mlp")
    x = zoo.noise(model)
    runs = [explain(model, x, METHOD, 0, samples=40, noise=0.5, seed=seed) for seed in range(30)]
    spread = np.std([run.values for run in runs], axis=0, ddof=1)
    told = np.mean([run.error for run in runs], axis=0)
    assert np.all(np.abs(told / spread - 1) < 0.5)


def test_cost() -> None:
    model = zoo.load("mlp")
    assert plan(model, zoo.noise(model), METHOD, 0, samples=13).cost == Cost(14, 13)


@pytest.mark.parametrize("wrong", [{"samples": 1}, {"noise": -0.1}, {"noise": "loud"}])
def test_out_of_range(wrong: dict[str, object]) -> None:
    model = zoo.load("mlp")
    with expect_refusal(ParameterError, next(iter(wrong))):
        explain(model, zoo.noise(model), METHOD, 0, **wrong)


def test_columns_of_a_table_have_one_value_and_one_error_each() -> None:
    model = zoo.load("table")
    x = zoo.noise(model)
    sigma = 0.3 * float(x.max() - x.min())
    draws = [np.random.default_rng([0, i]).standard_normal(5, np.float32) for i in range(20)]
    noisy = (x + sigma * torch.from_numpy(np.stack(draws))).requires_grad_()
    (slopes,) = torch.autograd.grad(zoo.build("table")(noisy)[:, 1].sum(), noisy)
    each = np.stack([reference.folded(one, zoo.TABLE.column_of) for one in slopes.double().numpy()])
    found = explain(model, x, METHOD, 1, samples=20, noise=0.3)
    assert np.allclose(found.values, each.mean(axis=0), rtol=0, atol=1e-6)
    assert np.allclose(found.error, each.std(axis=0, ddof=1) / np.sqrt(20), rtol=0, atol=1e-6)
