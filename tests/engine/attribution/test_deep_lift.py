from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from captum.attr import DeepLift, DeepLiftShap
from torch import nn

from engine.attribution.explain import explain, plan
from engine.attribution.rows import per_column
from engine.errors import MethodError
from engine.execution.cost import Cost
from engine.models.loading import load_model
from engine.models.specs import TensorSpec
from tests.engine import reference, zoo
from tests.engine.counting import counted
from tests.engine.refusals import expect_refusal

METHOD = "deep-lift"


@pytest.mark.parametrize("target", range(3))
def test_by_hand(target: int) -> None:
    model = zoo.load("table")
    x, rows = zoo.noise(model), zoo.noise(model, 6, seed=1)
    array = x[0].double().numpy()
    each = [reference.deep_lift(model.module, array, row, target) for row in rows.double().numpy()]
    found = explain(model, x, METHOD, target, background=rows)
    expected = reference.folded(np.mean(each, axis=0), zoo.TABLE.column_of)
    assert np.allclose(found.values, expected, rtol=0, atol=1e-6)


@pytest.mark.filterwarnings("ignore:Setting forward, backward hooks")
@pytest.mark.parametrize("name", ["table", "mlp"])
@pytest.mark.parametrize("count", [1, 6])
def test_agrees_with_captum(count: int, name: str) -> None:
    model = zoo.load(name)
    x, rows = zoo.noise(model), zoo.noise(model, count, seed=1)
    kind = DeepLift if count == 1 else DeepLiftShap
    mine = x.clone().requires_grad_()
    theirs = kind(zoo.build(name)).attribute(mine, rows.clone().requires_grad_(), target=2)
    found = explain(model, x, METHOD, 2, background=rows)
    expected = per_column(theirs[0].detach(), model.spec)
    assert np.allclose(found.values, expected.numpy(), rtol=0, atol=1e-6)


def of_rows(name: str, **more: Any) -> dict[str, float]:
    model = zoo.load(name)
    rows = zoo.noise(model, 6, seed=1)
    found = explain(model, 3 * zoo.noise(model), METHOD, 1, background=rows, **more)
    told: dict[str, float] = found.manifest["outcome"]["completeness"]
    return told


@pytest.mark.parametrize("name", ["table", "mlp"])
@pytest.mark.parametrize(
    "more", [{}, {"output": "probability"}, {"versus": 0}, {"versus": 2, "output": "probability"}]
)
def test_the_values_add_up(name: str, more: dict[str, Any]) -> None:
    told = of_rows(name, **more)
    assert abs(told["difference"]) > 1e-3
    assert abs(told["gap"]) < 1e-5


def test_of_one_logit_a_probability_is_one_more_rescale_rule() -> None:
    module = zoo.seeded(lambda: zoo.TableNet(classes=1))
    model = load_model(module, input_spec=zoo.TABLE, device="cpu")
    x, rows = zoo.noise(model), zoo.noise(model, 6, seed=1)
    with torch.no_grad():
        logits = module(torch.cat([x, rows])).double()[:, 0].numpy()
    shares = reference.sigmoid(logits)
    each = [
        reference.deep_lift(module, x[0].double().numpy(), row, 0)
        * (shares[0] - shares[1 + index])
        / (logits[0] - logits[1 + index])
        for index, row in enumerate(rows.double().numpy())
    ]
    found = explain(model, x, METHOD, 0, background=rows, output="probability")
    expected = reference.folded(np.mean(each, axis=0), zoo.TABLE.column_of)
    assert np.allclose(found.values, expected, rtol=0, atol=1e-6)


class Functional(zoo.TableNet):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.first(x))
        return self.third(F.relu(self.second(x)))


class Reused(zoo.TableNet):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu1(self.first(x))
        return self.third(self.relu1(self.second(x)))


class Smooth(zoo.TableNet):
    def __init__(self) -> None:
        super().__init__()
        self.relu1 = self.relu2 = nn.GELU()


@pytest.mark.parametrize("kind", [Functional, Reused, Smooth])
def test_networks_of_which_captum_tells_wrong_numbers(kind: Callable[[], nn.Module]) -> None:
    module = zoo.seeded(kind)
    model = load_model(module, input_spec=zoo.TABLE, device="cpu")
    before = [sorted(vars(part)) for part in module.modules()]
    x, rows = 3 * zoo.noise(model), 3 * zoo.noise(model, 6, seed=1)
    with expect_refusal(
        MethodError,
        "DeepLift needs each activation as a module of its own, used once",
        f"on {model.card.title} its values do not add up",
    ):
        explain(model, x, METHOD, 0, background=rows)
    assert [sorted(vars(part)) for part in module.modules()] == before
    assert explain(model, x, "integrated-gradients", 0, background=rows) is not None


def small(kind: Callable[[], nn.Module]) -> nn.Module:
    """The same network, its outputs a millionth."""
    module = zoo.seeded(kind)
    with torch.no_grad():
        for parameter in module.third.parameters():
            parameter.mul_(1e-6)
    return module


def test_scores_may_be_tiny() -> None:
    x, rows = (3 * zoo.noise(zoo.load("table"), count, seed=count) for count in (1, 6))
    good = load_model(small(zoo.TableNet), input_spec=zoo.TABLE, device="cpu")
    found = explain(good, x, METHOD, 0, background=rows)
    told = found.manifest["outcome"]["completeness"]
    assert abs(told["gap"]) < 1e-4 * abs(told["difference"])
    bad = load_model(small(Functional), input_spec=zoo.TABLE, device="cpu")
    with pytest.raises(MethodError, match="its values do not add up"):
        explain(bad, x, METHOD, 0, background=rows)


def test_normalisation_and_dropout_are_no_activations() -> None:
    parts = [nn.Linear(4, 9), nn.BatchNorm1d(9), nn.LeakyReLU(), nn.Dropout(), nn.Linear(9, 2)]
    module = zoo.seeded(lambda: nn.Sequential(*parts))
    model = load_model(module.train(), input_spec=TensorSpec((4,)), device="cpu")
    rows = zoo.noise(model, 5, seed=1)
    found = explain(model, zoo.noise(model), METHOD, 0, background=rows)
    assert abs(found.manifest["outcome"]["completeness"]["gap"]) < 1e-5


@pytest.mark.parametrize("count", [None, 1, 6])
def test_cost(count: int | None) -> None:
    model = zoo.load("table")
    more: dict[str, Any] = {} if count is None else {"background": zoo.noise(model, count, seed=1)}
    planned = plan(model, zoo.noise(model), METHOD, 0, **more)
    rows = count or 1
    assert planned.cost == Cost(3 * rows + 1 + 1, 2 * rows)
    with counted(model.module) as count_of:
        planned.run()
    assert (count_of.forward, count_of.backward) == (planned.cost.forward, planned.cost.backward)
