from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from captum.attr import LRP, InputXGradient
from torch import nn

from engine.attribution.explain import explain, plan
from engine.attribution.registry import methods_for
from engine.errors import MethodError
from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from tests.engine import zoo
from tests.engine.attribution import twins
from tests.engine.refusals import expect_refusal

METHOD = "lrp"


@pytest.mark.parametrize("target", range(3))
@pytest.mark.parametrize(
    ("name", "index"), [one for one in twins.SPELLED if one[0] not in twins.NO_ZERO]
)
def test_by_hand_in_every_spelling(name: str, index: int, target: int) -> None:
    module = twins.twin(twins.SPELLINGS[name][index])
    model = twins.load(module)
    x = zoo.noise(model)
    act = twins.in_float64(twins.SPELLINGS[name][0])
    expected, taken = twins.relevance(module, act, x[0].double().numpy().ravel(), target)
    found = explain(model, x, METHOD, target, rule="epsilon")
    told = found.manifest["outcome"]["conservation"]
    assert np.abs(expected).max() > 1e-3
    assert np.allclose(found.values.ravel(), expected, rtol=0, atol=2e-5)
    assert told["biases"] == pytest.approx(taken, abs=2e-4)


class Sequential(nn.Module):
    """One module for each step, each used once, as Captum wants it."""

    def __init__(self, batch_norm: bool) -> None:
        super().__init__()
        norm = [nn.BatchNorm2d(6)] if batch_norm else []
        start = [nn.Conv2d(3, 6, 3, padding=1), *norm, nn.ReLU(), nn.MaxPool2d(2)]
        self.maps = nn.Sequential(*start, nn.Conv2d(6, 8, 3, stride=2), nn.ReLU(), nn.AvgPool2d(3))
        self.head = nn.Sequential(nn.Linear(8, 9), nn.ReLU(), nn.Linear(9, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.maps(x).flatten(1))


def sequential(*, batch_norm: bool) -> nn.Module:
    return zoo.seeded(lambda: Sequential(batch_norm))


@pytest.mark.parametrize("target", range(3))
@pytest.mark.parametrize("batch_norm", [False, True])
def test_agrees_with_captum(batch_norm: bool, target: int) -> None:
    model = twins.load(sequential(batch_norm=batch_norm), zoo.PICTURE)
    x = zoo.noise(model)
    theirs = LRP(sequential(batch_norm=batch_norm)).attribute(
        x.clone().requires_grad_(), target=target
    )
    found = explain(model, x, METHOD, target, rule="epsilon")
    assert theirs.abs().max() > 1e-3
    assert np.allclose(found.values, theirs[0].detach().numpy(), rtol=0, atol=1e-5)


def test_on_relu_networks_epsilon_is_gradient_times_input_as_the_caveat_says() -> None:
    model = zoo.load("inplace-cnn")
    x = zoo.noise(model)
    theirs = InputXGradient(zoo.build("tiny-cnn")).attribute(x.clone().requires_grad_(), target=1)
    found = explain(model, x, METHOD, 1, rule="epsilon")
    assert np.allclose(found.values, theirs[0].detach().numpy(), rtol=0, atol=1e-4)
    gamma = explain(model, x, METHOD, 1, rule="gamma")
    assert np.abs(found.values - gamma.values).max() > 0.1 * np.abs(found.values).max()


# The γ-rule as plain matrix algebra: every layer as a matrix, contributions one by one.


def matrix(layer: nn.Module, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """A layer that is affine, as ``(outputs, inputs)`` and ``(outputs,)``."""
    basis = torch.eye(int(np.prod(shape)), dtype=torch.float64).reshape(-1, *shape)
    layer = layer.double().eval()
    with torch.no_grad():
        bias = layer(torch.zeros(1, *shape, dtype=torch.float64)).flatten()
        columns = layer(basis).flatten(1) - bias
    return columns.T.numpy(), bias.numpy()


def handed_back(
    matrix: np.ndarray, bias: np.ndarray, x: np.ndarray, relevance: np.ndarray, gamma: float
) -> tuple[np.ndarray, float]:
    """Contributions with the output's sign count 1 + γ, those of the bias as well."""
    parts = np.column_stack([matrix * x, bias])  # (outputs, inputs + 1)
    whole = parts.sum(axis=1, keepdims=True)
    parts = parts + gamma * np.where(parts * np.sign(whole) > 0, parts, 0)
    epsilon = 0 if gamma else 1e-6 * np.where(whole < 0, -1, 1)
    shares = parts / (parts.sum(axis=1, keepdims=True) + epsilon) * relevance[:, None]
    return shares[:, :-1].sum(axis=0), float(shares[:, -1].sum())


def gamma_by_hand(module: nn.Module, x: np.ndarray, target: int) -> tuple[np.ndarray, float]:
    """Of ``zoo.TinyCnn`` with all parts doubled to float64: batch norms are part of the layer."""
    first = matrix(nn.Sequential(module.conv1, module.bn1), (3, 16, 16))
    second = matrix(nn.Sequential(module.conv2, module.bn2), (4, 16, 16))
    pool = matrix(module.pool, (6, 8, 8))
    head = matrix(module.linear, (6,))
    flow, layers = [x], [(first, 0.25), (second, 0.25), (pool, 0.0), (head, 0.0)]
    for index, ((weights, bias), _) in enumerate(layers):
        z = weights @ flow[-1] + bias
        flow.append(np.maximum(z, 0) if index < 2 else z)
    relevance, taken = np.eye(3)[target] * flow[-1], 0.0
    for (layer, gamma), before in zip(layers[::-1], flow[-2::-1], strict=True):
        relevance, part = handed_back(*layer, before, relevance, gamma)
        taken += part
    return relevance, taken


@pytest.mark.parametrize("name", ["tiny-cnn", "inplace-cnn"])
@pytest.mark.parametrize("target", range(3))
def test_gamma_by_hand(name: str, target: int) -> None:
    model = zoo.load(name)
    x = zoo.noise(model)
    expected, taken = gamma_by_hand(zoo.build("tiny-cnn"), x.double().numpy().ravel(), target)
    found = explain(model, x, METHOD, target)  # gamma is the default
    assert np.abs(expected).max() > 1e-4
    assert np.allclose(found.values.ravel(), expected, rtol=1e-3, atol=1e-6)
    told = found.manifest["outcome"]["conservation"]
    assert told["biases"] == pytest.approx(taken, abs=1e-4)


class Handed(nn.Module):
    """Constants in all their spellings: they take their share of the score."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1, bias=False)
        self.token = nn.Parameter(torch.randn(1, 4, 1))
        self.scale = nn.Parameter(torch.rand(4, 1, 1) + 0.5)
        self.linear = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.pad(self.conv(x) * self.scale + 0.3, (1, 1, 1, 1), value=0.2)
        x = (1.5 - torch.relu(x)) / 2
        x += torch.ones_like(x)[:, :, :1]
        x = torch.cat([x.flatten(2), self.token.expand(len(x), -1, -1)], dim=2)
        return self.linear(x.mean(dim=2))


@pytest.mark.parametrize("rule", ["epsilon", "gamma"])
def test_constants_take_their_share(rule: str) -> None:
    model = twins.load(zoo.seeded(Handed))
    x = zoo.noise(model)
    found = explain(model, x, METHOD, 1, rule=rule)
    told = found.manifest["outcome"]["conservation"]
    with torch.no_grad():
        score = float(model.module(x)[0, 1])
    assert told["score"] == pytest.approx(score, abs=1e-6)
    assert abs(told["biases"]) > 0.05
    assert abs(told["sum"]) > 0.01
    assert told["sum"] == pytest.approx(float(found.values.astype(np.float64).sum()), abs=1e-6)
    assert told["sum"] + told["biases"] + told["stabiliser"] == pytest.approx(score, abs=1e-5)


@pytest.mark.parametrize("rule", ["epsilon", "gamma"])
def test_one_class_against_another_is_the_difference(rule: str) -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    one, other = (explain(model, x, METHOD, target, rule=rule).values for target in (0, 2))
    both = explain(model, x, METHOD, 0, versus=2, rule=rule).values
    assert np.allclose(both, one - other, rtol=0, atol=1e-5)


def test_a_probability_is_refused() -> None:
    model = zoo.load("tiny-cnn")
    with expect_refusal(MethodError, "LRP shares out a logit", "output='logit'"):
        explain(model, zoo.noise(model), METHOD, 0, output="probability")


class Ends(zoo.TinyCnn):
    """One step of its own before the head."""

    def __init__(self, last: nn.Module) -> None:
        super().__init__()
        self.last = last

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu2(self.bn2(self.conv2(self.relu1(self.conv1(x)))))
        return self.linear(self.last(self.pool(x).flatten(1)))


class Gate(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * F.relu(x)


class ByHand(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * (x > 0)


class Root(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x.abs() + 1).sqrt()


def ending(last: nn.Module) -> LoadedModel:
    return twins.load(zoo.seeded(lambda: Ends(last)), zoo.PICTURE)


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (nn.Softmax(dim=1), "its layer last calls softmax"),
        (nn.LayerNorm(6), "its layer last calls layer_norm"),
        (nn.Sequential(nn.Identity(), nn.Sigmoid()), "its layer last.1 calls sigmoid, which makes"),
        (Gate(), "its layer last multiplies two parts that both depend on the input, by mul"),
        (ByHand(), "its layer last takes numbers out of the gradient's way by gt"),
        (Root(), "its layer last calls abs"),
    ],
)
def test_what_there_is_no_rule_for_is_refused_with_the_layer(last: nn.Module, told: str) -> None:
    model = ending(last)
    assert METHOD not in {method.name for method in methods_for(model)}
    with expect_refusal(MethodError, "LRP has no rule for part of Ends", told):
        explain(model, zoo.noise(model), METHOD, 0)


class Half(torch.autograd.Function):
    """Computed outside torch, with a gradient that is not its own."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(x.numpy(force=True) * 0.5)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        return gradients[0]


class Unseen(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return Half.apply(x)


def test_relevance_that_is_not_conserved_is_told() -> None:
    with expect_refusal(MethodError, "LRP loses relevance on Ends", "are not its score"):
        explain(ending(Unseen()), zoo.noise(zoo.load("tiny-cnn")), METHOD, 0)


def test_cost() -> None:
    model = zoo.load("tiny-cnn")
    assert plan(model, zoo.noise(model), METHOD, 0).cost == Cost(2 + 1, 1)
