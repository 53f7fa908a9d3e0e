"""Small networks and pictures for the methods beside the criteria."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.heads.pictures import Pictures, load_pictures
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import TensorSpec
from engine.pruning.finding.groups import find_groups
from engine.pruning.methods.catalogue import plan_method
from engine.pruning.methods.outcome import Outcome
from tests.engine.zoo import PICTURE, noise, seeded

SIX = TensorSpec((6,))


class TwoConvs(nn.Module):
    """Convolution, batch norm, ReLU, twice; then a linear layer."""

    def __init__(self, first: int = 8, second: int = 8) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, first, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(first)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(first, second, 3, stride=2, padding=1)
        self.norm2 = nn.BatchNorm2d(second)
        self.relu2 = nn.ReLU()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(second, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu1(self.norm1(self.conv1(x)))
        x = self.relu2(self.norm2(self.conv2(x)))
        return self.head(self.pool(x).flatten(1))


class Around(TwoConvs):
    """The same with a way around the second convolution: two layers read the first's channels."""

    def __init__(self) -> None:
        super().__init__()
        self.short = nn.Conv2d(8, 8, 1, stride=2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu1(self.norm1(self.conv1(x)))
        x = self.relu2(self.norm2(self.conv2(x)) + self.short(x))
        return self.head(self.pool(x).flatten(1))


class Hidden(nn.Module):
    """Six numbers, sixteen hidden units, three classes."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 16)
        self.relu = nn.ReLU()
        self.second = nn.Linear(16, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.relu(self.first(x)))


def convs(builder: Any = TwoConvs) -> LoadedModel:
    """A network of pictures with random weights and statistics."""
    return load_model(seeded(builder), input_spec=PICTURE, device="cpu")


def hidden(useless: bool = True) -> LoadedModel:
    """A network of six numbers; of the hidden units every other one is read by nothing."""
    module = seeded(Hidden)
    with torch.no_grad():
        module.second.weight.mul_(3)
        if useless:
            module.second.weight[:, ::2] = 0
    return load_model(module, input_spec=SIX, device="cpu")


def samples(model: LoadedModel, count: int, labelled: bool = False) -> Pictures:
    """Prepared noise; its labels are what the model says, or there are none."""
    x = noise(model, count, seed=5)
    found = load_pictures(model, x)
    if labelled:
        with torch.no_grad():
            labels = model.forward(x).argmax(1).numpy().astype(np.int32)
        found = replace(found, labels=labels)
    return found


def done(model: LoadedModel, name: str, images: Any = None, **given: Any) -> Outcome:
    """Plan and run."""
    return plan_method(model, find_groups(model), name, images, **given).run()


def state_of(model: LoadedModel) -> dict[str, torch.Tensor]:
    """All tensors, copied."""
    return {name: tensor.clone() for name, tensor in model.module.state_dict().items()}


def same_state(model: LoadedModel, before: dict[str, torch.Tensor]) -> bool:
    """Whether a model is as it was, its hooks and its frozen weights too."""
    after = model.module.state_dict()
    return all(torch.equal(after[name], tensor) for name, tensor in before.items())


class Branches(nn.Module):
    """Red is read by eight channels, green and blue by eight others; one batch norm for all."""

    def __init__(self) -> None:
        super().__init__()
        self.red, self.rest = nn.Conv2d(1, 8, 3), nn.Conv2d(2, 8, 3)
        self.norm = nn.BatchNorm2d(16)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(16, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = torch.cat([self.red(x[:, :1]), self.rest(x[:, 1:])], dim=1)
        return self.head(self.pool(self.norm(maps).relu()).flatten(1))
