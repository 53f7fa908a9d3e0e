"""Variance of what a unit hands on, times the weights that read it (an2024fluctuation)."""

from __future__ import annotations

import numpy as np
import torch

from engine.pruning.scoring.criterion import Criterion, Material
from engine.pruning.scoring.tensors import column_squares, inputs_of
from engine.pruning.units import Group


class Wifv(Criterion):
    """Var(X_c) · ‖W_n,c‖², over pictures and places, summed over columns and readers."""

    name = "wifv"
    title = "WIFV (FLAP)"
    summary = "How much a unit fluctuates, through the weights that read it."
    paper = "an2024fluctuation"
    caveat = (
        "What stays the same is left to the bias: made for pruning with compensated biases. "
        "Adding up columns and readers is our definition."
    )
    needs = "activations"

    def of_group(self, material: Material, group: Group) -> np.ndarray:
        """Return it for each unit, float64 ``(size,)``."""
        module, told = material.model.module, material.told
        total = torch.zeros(group.size, dtype=torch.float64)
        for span in group.consumers:
            variance = told.inputs[span.layer].variance[inputs_of(module, span)]
            total += (variance * column_squares(module, span)).sum(dim=1)
        return np.asarray(total.numpy())
