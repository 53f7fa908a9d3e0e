"""The linear layer that a network ends in, and what comes to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.errors import ModelError
from engine.models.loaded import LoadedModel
from engine.pruning.given import first_of, on_given

_TOLERANCE = 1e-4


@dataclass(frozen=True, eq=False)
class Classifier:
    """The last layer, logits = W X + b.

    Attributes:
        layer: its name.
        weight: float64 ``(classes, d)``. Where the network has one logit, two rows ±w / 2, whose
            difference is that logit: for the class, and against it.
        bias: float64 ``(classes,)``.
    """

    layer: str
    weight: np.ndarray
    bias: np.ndarray

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Return float64 ``(n, classes)`` of what comes to it, ``(n, d)``."""
        return np.asarray(features.astype(np.float64) @ self.weight.T + self.bias)


@dataclass
class _Seen:
    """What went into layers and what came out, by the layer's name."""

    calls: dict[str, tuple[torch.Tensor, torch.Tensor]] = field(default_factory=dict)


def find_classifier(model: LoadedModel) -> Classifier:
    """Return the linear layer, or 1 × 1 convolution, whose output are the logits.

    It is found by a pass on noise, and held against W X + b. A convolution may be followed by the
    mean over places.

    Raises:
        ModelError: the network does not end in one.
    """
    title = model.card.title
    with model.ready() as module, torch.no_grad(), _watching(module) as seen:
        count = 2 if model.seen.batches else 1
        x = torch.randn((count, *model.spec.shape), generator=torch.Generator().manual_seed(0))
        logits = model.forward(x.to(model.device)).double()
        parts = dict(module.named_modules())
        for name, (given, out) in reversed(seen.calls.items()):
            weight = parts[name].weight.detach().double().flatten(1)  # (classes, d)
            bias = parts[name].bias
            shift = torch.zeros_like(weight[:, 0]) if bias is None else bias.detach().double()
            if _close(_vectors(out), logits) and _close(_vectors(given) @ weight.T + shift, logits):
                return _classifier(name, weight.cpu().numpy(), shift.cpu().numpy())
    raise ModelError(
        f"{title} does not end in one linear layer whose outputs are its logits, so there is no "
        "geometry at the classifier to look at"
    )


def features_of(model: LoadedModel, classifier: Classifier) -> LoadedModel:
    """Return the same network, under the same lock, that puts out what comes to its classifier.

    It can be asked wherever the model can, masked and in chunks; its "logits" are ``(n, d)``.
    """
    width = classifier.weight.shape[1]
    return replace(
        model,
        module=_Features(model.module, classifier.layer),
        classes=tuple(str(number) for number in range(width)),
        seen=replace(model.seen, entry="", squash=""),
        _digest=None,
    )


class _Features(nn.Module):
    """Runs a network, and returns what came to one of its layers."""

    def __init__(self, whole: nn.Module, layer: str) -> None:
        super().__init__()
        self.whole = whole
        self._layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """``(n, …)`` → ``(n, d)``"""
        found: list[torch.Tensor] = []
        part = self.whole.get_submodule(self._layer)
        handle = on_given(part, lambda _part, given: found.append(given))
        try:
            self.whole(x)
        finally:
            handle.remove()
        return _vectors(found[-1])


def _vectors(given: torch.Tensor) -> torch.Tensor:
    """Return ``(n, d)`` of ``(n, d)``, or of maps ``(n, d, h, w)``, their mean over places."""
    return given if given.ndim == 2 else given.mean(dim=(2, 3))


def _close(one: torch.Tensor, other: torch.Tensor) -> bool:
    if one.shape != other.shape:
        return False
    return bool((one - other).abs().max() <= _TOLERANCE * other.abs().max().clamp(min=1e-6))


def _classifier(name: str, weight: np.ndarray, bias: np.ndarray) -> Classifier:
    if len(weight) == 1:
        weight, bias = (np.concatenate([part, -part]) / 2 for part in (weight, bias))
    return Classifier(name, weight, bias)


@contextmanager
def _watching(module: nn.Module) -> Iterator[_Seen]:
    seen, handles = _Seen(), []

    def hook(name: str) -> Any:
        def told(_part: nn.Module, args: Any, named: dict[str, Any], out: torch.Tensor) -> None:
            given = first_of(args, named)
            flat = given.ndim == out.ndim and out.ndim in (2, 4) and len(out) == len(given)
            seen.calls.pop(name, None)  # the last call counts, in the order of the last calls
            if flat:
                seen.calls[name] = (given.double(), out.double())

        return told

    try:
        for name, part in module.named_modules():
            pointwise = isinstance(part, nn.Conv2d) and part.weight.shape[2:].numel() == 1
            if isinstance(part, nn.Linear) or (pointwise and part.groups == 1):
                handles.append(part.register_forward_hook(hook(name), with_kwargs=True))
        yield seen
    finally:
        for handle in handles:
            handle.remove()
