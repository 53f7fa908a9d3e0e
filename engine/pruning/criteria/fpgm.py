"""Distance of a filter from the others of its layer (he2019filter)."""

from __future__ import annotations

import torch

from engine.models.loaded import LoadedModel
from engine.pruning.scoring.criterion import OfWeights
from engine.pruning.scoring.tensors import filters_of
from engine.pruning.units import Group


class Fpgm(OfWeights):
    """Σ_j ‖w_i − w_j‖, with the weights' signs; rows of several layers stand side by side."""

    name = "fpgm"
    title = "FPGM"
    summary = "How far a filter is from the others: what lies in the middle can be stood in for."
    paper = "he2019filter"
    caveat = "Looks at no picture. Far is far in any direction, whether it matters or not."

    def refusal(self, model: LoadedModel, group: Group) -> str:
        """Without rows of weights there are no distances."""
        return "" if filters_of(model.module, group) else f"{group.title} has no filters"

    def of_weights(self, module: torch.nn.Module, group: Group) -> torch.Tensor:
        """Return it for each unit, ``(size,)``."""
        rows = torch.cat(filters_of(module, group), dim=1)
        rows = rows - rows.mean(dim=0)  # distances stay, and are rounded less
        return torch.cdist(rows, rows).sum(dim=1)
