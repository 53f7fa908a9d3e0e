"""Rise of the loss without a head (michel2019sixteen)."""

from __future__ import annotations

import numpy as np

from engine.pruning.scoring.criterion import HEADS, Criterion, Material
from engine.pruning.units import Group


class Ablation(Criterion):
    """Mean over pictures of the loss without the head, less the loss as the network is."""

    name = "ablation"
    title = "Ablation"
    summary = "Switches each head off and sees how much worse the network does."
    paper = "michel2019sixteen"
    caveat = (
        "A pass of all pictures for each head. One head at a time: a head that others stand in "
        "for looks unimportant until they are off as well."
    )
    needs = "passes"
    kinds = HEADS

    def of_group(self, material: Material, group: Group) -> np.ndarray:
        """Return it for each head, float64 ``(size,)``."""
        return material.ablation[group.name]
