"""Sum of the absolute weights of a filter (li2017pruning)."""

from __future__ import annotations

import torch

from engine.models.loaded import LoadedModel
from engine.pruning.scoring.criterion import OfWeights
from engine.pruning.scoring.tensors import filters_of
from engine.pruning.units import Group


class FilterL1(OfWeights):
    """Σ |w| over the rows that make a unit; of several layers that share it, over all."""

    name = "filter-l1"
    title = "Filter L1"
    summary = "How large the weights of the filter are that makes a unit."
    paper = "li2017pruning"
    caveat = "Looks at no picture, and not at a normalisation that may scale the filter up again."

    def refusal(self, model: LoadedModel, group: Group) -> str:
        """Without rows of weights there is nothing to add up."""
        return "" if filters_of(model.module, group) else f"{group.title} has no filters"

    def of_weights(self, module: torch.nn.Module, group: Group) -> torch.Tensor:
        """Return it for each unit, ``(size,)``."""
        total = torch.zeros(group.size, dtype=torch.float64)
        for filters in filters_of(module, group):
            total += filters.abs().sum(dim=1)
        return total
