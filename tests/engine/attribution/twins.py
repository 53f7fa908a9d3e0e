"""One network in many spellings, and the rules on it again as float64 matrix algebra."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from tests.engine import zoo
from tests.engine.reference import weight

Tensor = torch.Tensor
Function = Callable[[Tensor], Tensor]

# Of each activation: the function in float64, and the ways to write it.
SPELLINGS: dict[str, list[Any]] = {
    "relu": [
        nn.ReLU(),
        nn.ReLU(inplace=True),
        F.relu,
        torch.relu,
        partial(F.relu, inplace=True),
        F.relu_,
        torch.relu_,
        Tensor.relu,
        Tensor.relu_,
        lambda x: F.relu(input=x),
        lambda x: x.clamp(min=0),
        lambda x: x.clamp_(0),
        lambda x: torch.clamp_min(x, 0),
        lambda x: F.threshold(x, 0.0, 0.0),
        lambda x: torch.maximum(torch.zeros_like(x), x),
        torch.ops.aten.relu,
        lambda x: F.leaky_relu(x, 0.0),
    ],
    "relu6": [
        nn.ReLU6(),
        nn.ReLU6(inplace=True),
        F.relu6,
        partial(F.hardtanh, min_val=0.0, max_val=6.0),
        lambda x: x.clamp(0, 6),
        lambda x: torch.clip(x, min=0, max=6),
    ],
    "leaky_relu": [
        nn.LeakyReLU(0.2),
        nn.LeakyReLU(0.2, inplace=True),
        partial(F.leaky_relu, negative_slope=0.2),
        lambda x: F.leaky_relu_(x, 0.2),
        lambda x: F.prelu(x, torch.tensor([0.2])),
    ],
    "prelu": [nn.PReLU(init=0.3), lambda x: F.prelu(x, torch.full((1,), 0.3))],
    "elu": [nn.ELU(), nn.ELU(inplace=True), F.elu, F.elu_],
    "selu": [nn.SELU(), F.selu, torch.selu_],
    "celu": [nn.CELU(0.7), lambda x: torch.celu(x, 0.7)],
    "softplus": [nn.Softplus(), F.softplus, lambda x: torch.log1p(torch.exp(x))],
    "sigmoid": [
        nn.Sigmoid(),
        torch.sigmoid,
        F.sigmoid,
        Tensor.sigmoid_,
        lambda x: 1 / (1 + torch.exp(-x)),
    ],
    "tanh": [nn.Tanh(), F.tanh, torch.tanh, Tensor.tanh_],
    "gelu": [nn.GELU(), F.gelu],
    "gelu-tanh": [nn.GELU("tanh"), partial(F.gelu, approximate="tanh")],
    "silu": [nn.SiLU(), nn.SiLU(inplace=True), F.silu],
    "mish": [nn.Mish(), F.mish, partial(F.mish, inplace=True)],
    "hardswish": [nn.Hardswish(), nn.Hardswish(inplace=True), F.hardswish],
    "hardsigmoid": [nn.Hardsigmoid(), F.hardsigmoid],
    "hardtanh": [nn.Hardtanh(), nn.Hardtanh(inplace=True), F.hardtanh, lambda x: x.clip(-1, 1)],
    "softsign": [nn.Softsign(), F.softsign],
    "logsigmoid": [nn.LogSigmoid(), F.logsigmoid],
    "softshrink": [nn.Softshrink(0.1), partial(F.softshrink, lambd=0.1)],
    "tanhshrink": [nn.Tanhshrink(), F.tanhshrink],
}
NO_ZERO = {"softplus", "sigmoid", "hardsigmoid", "logsigmoid"}  # they make something out of zero
RECTIFIERS = {"relu", "relu6"}
SPELLED = [(name, index) for name, ways in SPELLINGS.items() for index in range(len(ways))]


class Twin(nn.Module):
    """Two layers and a head; a module is reused, whatever else is called twice."""

    def __init__(self, act: Any, features: int = 192) -> None:
        super().__init__()
        self.flat = nn.Flatten()
        self.first = nn.Linear(features, 12)
        self.second = nn.Linear(12, 8)
        self.third = nn.Linear(8, 3)
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.first(self.flat(x)))
        return self.third(self.act(self.second(x)))


def twin(act: Any) -> nn.Module:
    """The same weights for each activation, large enough for all its parts to be reached."""
    module = zoo.seeded(lambda: Twin(act))
    with torch.no_grad():
        for layer in (module.first, module.second):
            layer.weight.mul_(4)
    return module


def load(module: nn.Module, spec: Any = zoo.SMALL) -> LoadedModel:
    return load_model(module, input_spec=spec, device="cpu")


def pass_of(module: nn.Module, act: Function, x: np.ndarray) -> list[np.ndarray]:
    """x, then what goes in and what comes out of each activation, then the logits."""
    steps = [x]
    for name in ("first", "second"):
        steps.append(weight(module, f"{name}.weight") @ steps[-1] + weight(module, f"{name}.bias"))
        steps.append(act(torch.from_numpy(steps[-1].copy())).detach().numpy())
    steps.append(weight(module, "third.weight") @ steps[-1] + weight(module, "third.bias"))
    return steps


def in_float64(act: Any) -> Function:
    return deepcopy(act).double() if isinstance(act, nn.Module) else act


def deep_lift(module: nn.Module, act: Function, x: np.ndarray, target: int) -> np.ndarray:
    """By the rescale rule, against zeros."""
    ends, starts = pass_of(module, act, x), pass_of(module, act, np.zeros_like(x))
    found = weight(module, "third.weight")[target]
    for name, step in (("second", 3), ("first", 1)):
        ratio = (ends[step + 1] - starts[step + 1]) / (ends[step] - starts[step])
        found = (found * ratio) @ weight(module, f"{name}.weight")
    return found * x


def guided(module: nn.Module, act: Function, x: np.ndarray, target: int) -> np.ndarray:
    """Each ReLU lets through what is positive, where its input is and it is not cut off."""
    steps = pass_of(module, act, x)
    found = weight(module, "third.weight")[target]
    for name, step in (("second", 3), ("first", 1)):
        passing = (steps[step] > 0) & (steps[step] == steps[step + 1])
        found = (np.maximum(found, 0) * passing) @ weight(module, f"{name}.weight")
    return found


def relevance(
    module: nn.Module, act: Function, x: np.ndarray, target: int
) -> tuple[np.ndarray, float]:
    """By the ε-rule; and what goes to the biases. Relevances, not multipliers, are handed back."""
    steps = pass_of(module, act, x)
    found = np.eye(3)[target] * steps[-1]
    taken = 0.0
    for name, step in (("third", 4), ("second", 2), ("first", 0)):
        z = steps[step + 1]
        share = found / (z + 1e-6 * np.where(z < 0, -1, 1))
        taken += share @ weight(module, f"{name}.bias")
        found = steps[step] * (share @ weight(module, f"{name}.weight"))
    return found, taken
