"""What a model said of samples: probabilities, and what its classification head was given."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from engine.models.loaded import LoadedModel
from engine.models.outputs import Activation


@dataclass(frozen=True)
class Said:
    """Outputs of some passes, on the CPU.

    Attributes:
        log_p: float64 ``(…, classes)``, logarithm of the probabilities; of a single logit two
            columns, for the class and against it.
        embedding: float64 ``(…, width)``, what the layer that puts out the classes was given;
            of two such layers side by side; None where there is none.
    """

    log_p: torch.Tensor
    embedding: torch.Tensor | None = None

    @property
    def predicted(self) -> torch.Tensor:
        """The most probable class, int64 ``(…)``."""
        return self.log_p.argmax(dim=-1)

    def log_p_of(self, classes: torch.Tensor) -> torch.Tensor:
        """Return the logarithm of one class's probability, ``(…)``; classes ``(n,)``."""
        places = classes.expand(self.log_p.shape[:-1])[..., None]
        return self.log_p.gather(-1, places)[..., 0]

    def unflattened(self, variants: int) -> Said:
        """Return ``(variants × n, …)`` as ``(variants, n, …)``."""
        parts = (self.log_p, self.embedding)
        log_p, embedding = (p if p is None else p.unflatten(0, (variants, -1)) for p in parts)
        assert log_p is not None
        return Said(log_p, embedding)


def said_of(logits: torch.Tensor, activation: Activation, read: list[torch.Tensor]) -> Said:
    """Return what logits ``(n, classes)`` say, and what was read."""
    log_p = log_probabilities(logits.detach().cpu().double(), activation)
    parts = [_of_samples(one, len(logits)) for one in read]
    known = bool(parts) and all(part is not None for part in parts)
    whole = torch.cat([part for part in parts if part is not None], dim=1) if known else None
    return Said(log_p, whole)


def log_probabilities(logits: torch.Tensor, activation: Activation) -> torch.Tensor:
    """Return the logarithm of probabilities; of one logit ``(n, 2)``: for and against.

    The values of a regression are returned as they are.
    """
    if activation == "identity":
        return logits
    if activation == "sigmoid":
        return torch.cat([F.logsigmoid(logits), F.logsigmoid(-logits)], dim=-1)
    return logits.log_softmax(dim=-1)


def readers_of(model: LoadedModel, blocks: Collection[str] = ()) -> frozenset[int]:
    """Return ``id`` of the weights of linear layers that put out one number for each class.

    Args:
        model: any.
        blocks: names of modules inside which no such layer is looked for.
    """
    inside = tuple(f"{name}." for name in blocks)
    return frozenset(
        id(part.weight)
        for name, part in model.module.named_modules()
        if isinstance(part, nn.Linear)
        and part.out_features == len(model.classes)
        and not name.startswith(inside)
    )


def _of_samples(read: torch.Tensor, count: int) -> torch.Tensor | None:
    """Return one row for each sample, or None if that is not what was read."""
    return read.cpu().double() if read.ndim == 2 and len(read) == count else None
