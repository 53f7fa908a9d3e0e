from __future__ import annotations

import numpy as np
import pytest
from captum.attr import Saliency

from engine.attribution.explain import explain
from engine.attribution.rows import per_column
from tests.engine import reference, zoo


@pytest.mark.parametrize("target", range(4))
def test_of_a_linear_network_is_its_weights(target: int) -> None:
    model = zoo.load("image-linear")
    found = explain(model, zoo.noise(model), "gradient", target)
    weights = model.module.linear.weight[target].detach().numpy().reshape(3, 8, 8)
    assert np.allclose(found.values, weights, rtol=0, atol=1e-7)


@pytest.mark.parametrize("target", range(3))
def test_of_a_perceptron_by_hand(target: int) -> None:
    model = zoo.load("mlp")
    x = zoo.noise(model)
    expected = reference.mlp_gradient(model.module, x[0].double().numpy(), target)
    assert np.allclose(explain(model, x, "gradient", target).values, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", zoo.NETWORKS)
def test_agrees_with_captum(name: str) -> None:
    model = zoo.load(name)
    x = zoo.noise(model)
    theirs = Saliency(zoo.build(name)).attribute(x.clone().requires_grad_(), target=0, abs=False)
    found = explain(model, x, "gradient", 0)
    expected = per_column(theirs[0], model.spec)
    assert np.allclose(found.values, expected.numpy(), rtol=0, atol=1e-6)
    assert np.abs(found.values).max() > 1e-4


def test_of_a_probability_by_hand() -> None:
    model = zoo.load("image-linear")
    x = zoo.noise(model)
    w = reference.weight(model.module, "linear.weight")
    logits = w @ x[0].double().numpy().ravel() + reference.weight(model.module, "linear.bias")
    shares = reference.softmax(logits)
    expected = shares[2] * (w[2] - shares @ w)
    found = explain(model, x, "gradient", 2, output="probability").values
    assert np.allclose(found, expected.reshape(3, 8, 8), rtol=0, atol=1e-6)
    assert not np.allclose(found, explain(model, x, "gradient", 2).values, atol=1e-4)


def test_of_the_probability_of_one_logit() -> None:
    model = zoo.load("one-logit-cnn")
    x = zoo.noise(model)
    share = reference.sigmoid(reference.cnn_logits(model.module, x[0].double().numpy())[0])
    logit = explain(model, x, "gradient", 0).values.astype(np.float64)
    found = explain(model, x, "gradient", 0, output="probability").values
    assert np.allclose(found, share * (1 - share) * logit, rtol=0, atol=1e-6)
