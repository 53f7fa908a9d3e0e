"""Size of a batch norm's scale (liu2017learning)."""

from __future__ import annotations

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from engine.models.loaded import LoadedModel
from engine.pruning.scoring.criterion import OfWeights
from engine.pruning.scoring.tensors import numbers_of
from engine.pruning.units import Group, Span


class BatchNormScale(OfWeights):
    """|γ|; of several batch norms that share a unit, their mean (our definition)."""

    name = "bn-scale"
    title = "BN scale"
    summary = "How far the batch norm after a layer scales a channel up."
    paper = "liu2017learning"
    caveat = (
        "Meant for networks trained with a penalty on γ. A channel of small γ and large β hands "
        "on a constant that is missed all the same. Layers without a batch norm stay whole."
    )

    def refusal(self, model: LoadedModel, group: Group) -> str:
        """Units without a batch norm have no scale."""
        if _scales(model.module, group):
            return ""
        return f"{self.title} needs a batch norm; {group.title} has none"

    def of_weights(self, module: torch.nn.Module, group: Group) -> torch.Tensor:
        """Return it for each unit, ``(size,)``."""
        each = [numbers_of(module, span).abs().mean(dim=1) for span in _scales(module, group)]
        return torch.stack(each).mean(dim=0)


def _scales(module: torch.nn.Module, group: Group) -> list[Span]:
    return [
        span
        for span in group.producers
        if span.tensor == "weight" and isinstance(module.get_submodule(span.layer), _BatchNorm)
    ]
