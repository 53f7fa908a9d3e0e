"""All weights that go with a unit, squared and summed (fang2023depgraph)."""

from __future__ import annotations

import torch

from engine.pruning.scoring.criterion import OfWeights
from engine.pruning.scoring.tensors import column_squares, numbers_of, weights_of
from engine.pruning.units import Group


class GroupL2(OfWeights):
    """‖W_c‖² + ‖W_n,c‖² + γ²: the unit's own weights, those that read it, its normalisation."""

    name = "group-l2"
    title = "Group L2"
    summary = "How large the weights are that make a unit, scale it and read it."
    paper = "fang2023depgraph"
    caveat = (
        "Looks at no picture. Weights in front of a normalisation have no scale of their own: "
        "twice as large they do the same."
    )

    def of_weights(self, module: torch.nn.Module, group: Group) -> torch.Tensor:
        """Return it for each unit, ``(size,)``."""
        total = torch.zeros(group.size, dtype=torch.float64)
        for span in weights_of(group):
            total += numbers_of(module, span).square().sum(dim=1)
        for span in group.consumers:
            total += column_squares(module, span).sum(dim=1)
        return total
