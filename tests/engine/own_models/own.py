"""One row of the table: a network as a user has it, and what must be found out about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import ImageSpec
from tests.engine.own_models.alive import revive
from tests.engine.own_models.rollouts import Maps, patches_of, rolled_out

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5,) * 3, (0.5,) * 3)
UNKNOWN = tuple(f"class {index}" for index in range(4))

Rollout = Callable[[nn.Module, torch.Tensor], np.ndarray]
Normalisation = tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True)
class Facts:
    """What must be found out, or was.

    Attributes:
        family: "cnn" or "vit".
        shape: of one sample.
        normalisation: mean and std; None where the input is a plain tensor.
        classes: their names.
        layer: the one Grad-CAM reads, or "".
        attention: how many calls of attention a pass has.
        output: what the network returns, and where in it the logits are.
        activation: how logits become probabilities.
        told_by: who told input and classes, or "".
    """

    family: str
    shape: tuple[int, ...]
    normalisation: Normalisation | None
    classes: tuple[str, ...] = UNKNOWN
    layer: str = ""
    attention: int = 0
    output: tuple[str, str] = ("tensor", "")
    activation: str = "softmax"
    told_by: str = ""


def facts_of(model: LoadedModel) -> Facts:
    spec, layer, seen = model.spec, model.target_layer, model.seen
    return Facts(
        model.family,
        tuple(spec.shape),
        (spec.mean, spec.std) if isinstance(spec, ImageSpec) else None,
        model.classes,
        "" if layer is None else layer.name,
        seen.attention_calls,
        (seen.container, seen.entry),
        model.activation,
        model.told_by,
    )


def as_it_is(returned: Any) -> torch.Tensor:
    return returned


@dataclass(frozen=True)
class Own:
    """A network as a user has it.

    Attributes:
        name: its row in the table.
        load: given an empty folder.
        facts: what must be found out.
        read: from what the network returns to logits.
        rollout: of the bare network in float64, ``(rows, columns)``; None if it does not attend.
    """

    name: str
    load: Callable[[Path], LoadedModel]
    facts: Facts
    read: Callable[[Any], torch.Tensor] = as_it_is
    rollout: Rollout | None = None

    @property
    def required(self) -> tuple[str, ...]:
        """The methods that must work."""
        found = ["gradient", "integrated-gradients", "occlusion", "rise"]
        if self.rollout is not None:
            found.append("attention-rollout")
        return tuple(found if self.facts.family == "vit" else [*found, "grad-cam"])


def untrained(ref: str) -> Callable[[Path], LoadedModel]:
    """Load a library's network without published weights, and draw lively ones."""

    def load(_folder: Path) -> LoadedModel:
        model = load_model(ref, device="cpu")
        revive(model.module, model.spec.shape)
        return model

    return load


def global_rollout(
    maps: Callable[[nn.Module, torch.Tensor], Maps], reads: str, prefix: int = 1
) -> Rollout:
    """Rollout of attention from all tokens to all, on a square grid."""

    def rollout(module: nn.Module, x: torch.Tensor) -> np.ndarray:
        row = patches_of(rolled_out(maps(module, x)), reads, prefix)
        return row.reshape(int(len(row) ** 0.5), -1)

    return rollout
