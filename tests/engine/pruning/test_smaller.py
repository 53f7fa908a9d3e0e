"""``prune``: what it is given, however it is given, and what it refuses."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from engine.errors import HaloscopeError, InputError, ParameterError
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.pruning.geometry.classifier import find_classifier
from engine.pruning.smaller import prune
from tests.engine import zoo
from tests.engine.refusals import expect_refusal


class ByPosition(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.norm = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.conv2, self.head = nn.Conv2d(8, 6, 3), nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.norm(self.conv1(x)))
        return self.head(self.conv2(x).relu().mean(dim=(2, 3)))


class ByName(ByPosition):
    """The same network, its layers called with their inputs named."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.norm(input=self.conv1(input=x)))
        return self.head(input=self.conv2(input=x).relu().mean(dim=(2, 3)))


def pair() -> tuple[LoadedModel, LoadedModel]:
    one = zoo.seeded(ByPosition)
    other = ByName().eval()
    other.load_state_dict(deepcopy(one.state_dict()))
    shape: Any = {"input_spec": (3, 8, 8), "device": "cpu"}
    return load_model(one, **shape), load_model(other, **shape)


@pytest.mark.parametrize("criterion", ["taylor", "wifv"])
@pytest.mark.parametrize("repair", ["bn", "bias", "both"])
def test_layers_may_be_called_with_named_inputs(criterion: str, repair: Any) -> None:
    one, other = pair()
    x = zoo.noise(one, 6)
    asked: Any = {"criterion": criterion, "repair": repair, "round_to": 1}
    expected, found = (prune(model, x, **asked) for model in (one, other))
    states = (model.module.state_dict() for model in (expected, found))
    first, second = states
    assert {name: t.shape for name, t in first.items()} != {
        name: t.shape for name, t in one.module.state_dict().items()
    }
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def test_a_classifier_may_be_called_with_a_named_input() -> None:
    one, other = pair()
    assert find_classifier(other).layer == find_classifier(one).layer == "head"


EMPTY = torch.zeros(0, 3, 8, 8)
BAD: list[tuple[dict[str, Any], type[HaloscopeError], str]] = [
    ({"images": EMPTY, "criterion": "taylor"}, InputError, "no pictures to calibrate on"),
    ({"images": EMPTY}, InputError, "no pictures to calibrate on"),
    ({"images": EMPTY, "repair": "bn"}, InputError, "no pictures to calibrate on"),
    ({"repair": "bias"}, InputError, "no pictures to calibrate on: to compensate biases"),
    ({"repair": "bn"}, InputError, "no pictures to calibrate on: repair='bn' needs some"),
    ({"criterion": "fisher"}, InputError, "no pictures to calibrate on: Fisher needs some"),
    ({"ratio": 1.0}, ParameterError, "a layer without units would be empty"),
    ({"overrides": {"conv1": 1.0}}, ParameterError, "conv1=1.0: from 0 to below 1"),
    ({"overrides": {"conv1": "most"}}, ParameterError, "conv1='most': expected a number"),
    ({"repair": "none", "overrides": {"head": 0.5}}, ParameterError, "it is the output"),
]


@pytest.mark.parametrize(("asked", "kind", "told"), BAD)
def test_a_mistake_is_told_in_one_line(
    asked: dict[str, Any], kind: type[HaloscopeError], told: str
) -> None:
    with expect_refusal(kind, told):
        prune(pair()[0], **asked)
