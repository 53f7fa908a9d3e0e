from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.attribution.explain import explain
from tests.engine import reference, zoo

METHOD = "gradient-x-input"


def test_of_a_linear_network_is_weight_times_input() -> None:
    model = zoo.load("image-linear")
    x = zoo.noise(model)
    weights = reference.weight(model.module, "linear.weight")
    expected = weights.reshape(4, 3, 8, 8) * x[0].double().numpy()
    for target in range(4):
        found = explain(model, x, METHOD, target)
        assert np.allclose(found.values, expected[target], rtol=0, atol=1e-6)
        assert found.error is None


def test_of_a_linear_network_the_sum_is_the_score_without_the_bias() -> None:
    model = zoo.load("image-linear")
    x = zoo.noise(model)
    found = explain(model, x, METHOD, 1)
    with torch.no_grad():
        score = float((model.module(x) - model.module.linear.bias)[0, 1])
    assert found.values.sum() == pytest.approx(score, abs=1e-4)


@pytest.mark.parametrize("target", range(3))
def test_of_a_perceptron_by_hand(target: int) -> None:
    model = zoo.load("mlp")
    x = zoo.noise(model)
    array = x[0].double().numpy()
    expected = array * reference.mlp_gradient(model.module, array, target)
    found = explain(model, x, METHOD, target)
    assert np.allclose(found.values, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["tiny-cnn", "tiny-vit"])
def test_in_double_precision(name: str) -> None:
    model = zoo.load(name)
    x = zoo.noise(model)
    leaf = x.double().requires_grad_()
    zoo.build(name).double()(leaf)[0, 2].backward()
    expected = (leaf * leaf.grad)[0].detach().numpy()
    assert np.allclose(explain(model, x, METHOD, 2).values, expected, rtol=0, atol=1e-5)
    assert np.abs(expected).max() > 1e-3
