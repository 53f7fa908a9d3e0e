from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from captum.attr import GuidedBackprop
from torch import nn

from engine.attribution.explain import explain, plan
from engine.attribution.registry import methods_for
from engine.errors import MethodError
from engine.execution.cost import Cost
from tests.engine import zoo
from tests.engine.attribution import twins
from tests.engine.refusals import expect_refusal

METHOD = "guided-backprop"


@pytest.mark.parametrize("target", range(3))
@pytest.mark.parametrize(
    ("name", "index"), [one for one in twins.SPELLED if one[0] in twins.RECTIFIERS]
)
def test_by_hand_in_every_spelling(name: str, index: int, target: int) -> None:
    act = twins.SPELLINGS[name][index]
    module = twins.twin(act)
    model = twins.load(module)
    x = 3 * zoo.noise(model)
    array = x[0].double().numpy().ravel()
    expected = twins.guided(module, twins.in_float64(twins.SPELLINGS[name][0]), array, target)
    found = explain(model, x, METHOD, target)
    assert np.abs(expected).max() > 1e-3
    assert np.allclose(found.values.ravel(), expected, rtol=0, atol=1e-5)


@pytest.mark.filterwarnings("ignore:Setting backward hooks on ReLU activations")
@pytest.mark.parametrize("target", range(3))
@pytest.mark.parametrize("name", ["tiny-cnn", "inplace-cnn"])
def test_agrees_with_captum(name: str, target: int) -> None:
    model = zoo.load(name)
    x = zoo.noise(model)
    theirs = GuidedBackprop(zoo.build("tiny-cnn")).attribute(x.clone().requires_grad_(), target)
    found = explain(model, x, METHOD, target)
    assert np.allclose(found.values, theirs[0].detach().numpy(), rtol=0, atol=1e-6)


def test_it_is_not_the_gradient() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    guided, plain = (explain(model, x, one, 0).values for one in (METHOD, "gradient"))
    assert np.abs(guided - plain).max() > 0.1 * np.abs(plain).max()


def with_act(act: Any, other: Any = None) -> nn.Module:
    """A convolutional network with one kind of activation, and perhaps another at the end."""

    class Net(zoo.TinyCnn):
        def __init__(self) -> None:
            super().__init__()
            self.relu1, self.relu2 = act, other or act

    return zoo.seeded(Net)


@pytest.mark.parametrize(
    ("act", "other", "layer", "word"),
    [
        (nn.GELU(), None, "relu1", "gelu"),
        (nn.ReLU(), nn.SiLU(), "relu2", "silu"),
        (nn.ReLU(), nn.LeakyReLU(0.1), "relu2", "leaky_relu"),
        (nn.ReLU6(), nn.Hardswish(inplace=True), "relu2", "hardswish"),
        (nn.PReLU(), nn.ReLU(), "relu1", "prelu"),
        (nn.Hardtanh(), nn.ReLU(), "relu1", "hardtanh"),
        (nn.Sigmoid(), nn.ReLU(), "relu1", "sigmoid"),
    ],
)
def test_other_activations_are_refused_with_the_layer(
    act: Any, other: Any, layer: str, word: str
) -> None:
    model = twins.load(with_act(act, other), zoo.PICTURE)
    assert METHOD not in {method.name for method in methods_for(model)}
    with expect_refusal(
        MethodError, "only defined for ReLU", model.card.title, f"its layer {layer} calls {word}"
    ):
        explain(model, zoo.noise(model), METHOD, 0)


class Functional(zoo.TinyCnn):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        return self.linear(self.pool(F.gelu(self.bn2(self.conv2(x)))).flatten(1))


def test_of_the_network_itself() -> None:
    model = twins.load(zoo.seeded(Functional), zoo.PICTURE)
    with expect_refusal(MethodError, "its own forward calls gelu"):
        explain(model, zoo.noise(model), METHOD, 0)


@pytest.mark.parametrize("name", ["image-linear", "tiny-vit"])
def test_networks_without_a_relu_are_refused(name: str) -> None:
    model = zoo.load(name)
    with expect_refusal(MethodError, f"{model.card.title} has none"):
        explain(model, zoo.noise(model), METHOD, 0)


def test_cost() -> None:
    model = zoo.load("tiny-cnn")
    assert plan(model, zoo.noise(model), METHOD, 0).cost == Cost(2 + 1, 1)
