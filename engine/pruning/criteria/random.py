"""Numbers drawn at random: the control that every other criterion is held against."""

from __future__ import annotations

import numpy as np

from engine.execution.draws import generator
from engine.pruning.scoring.criterion import Criterion, Material
from engine.pruning.units import Group


class Random(Criterion):
    """A number from 0 to 1 for each unit, drawn from the seed and the group's place."""

    name = "random"
    title = "Random"
    summary = "Draws the order: the control that every other criterion has to beat."
    paper = "mittal2018recovering"
    caveat = "One draw is no control: draw several, and look at how far they lie apart."
    needs = "weights"

    def of_group(self, material: Material, group: Group) -> np.ndarray:
        """Return what is drawn, float64 ``(size,)``."""
        place = material.groups.groups.index(group)
        return generator(material.seed, place).random(group.size)
