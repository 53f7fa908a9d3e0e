"""Size of what a unit hands on, times the weights that read it (an2024fluctuation)."""

from __future__ import annotations

import numpy as np
import torch

from engine.pruning.scoring.criterion import Criterion, Material
from engine.pruning.scoring.tensors import column_squares, inputs_of
from engine.pruning.units import Group


class WandaSp(Criterion):
    """‖X_c‖ · ‖W_n,c‖: X over places, root mean square over pictures.

    A unit of several columns, or of several readers, counts the root of their summed squares
    (our definition).
    """

    name = "wanda-sp"
    title = "Wanda-sp"
    summary = "How much a unit hands on, through the weights that read it."
    paper = "an2024fluctuation"
    caveat = "A unit that always says the same counts, though a bias could say it."
    needs = "activations"

    def of_group(self, material: Material, group: Group) -> np.ndarray:
        """Return it for each unit, float64 ``(size,)``."""
        module, told = material.model.module, material.told
        total = torch.zeros(group.size, dtype=torch.float64)
        for span in group.consumers:
            energy = told.inputs[span.layer].energy[inputs_of(module, span)] / told.samples
            total += (energy * column_squares(module, span)).sum(dim=1)
        return np.asarray(total.sqrt().numpy())
