"""Mean size of what the loss would change by, to first order (molchanov2017pruning)."""

from __future__ import annotations

import numpy as np

from engine.pruning.scoring.criterion import Criterion, Material
from engine.pruning.units import Group


class Taylor(Criterion):
    """E |Σ A·G| over pictures: A is what a unit hands on, G the slope of the picture's loss there.

    The sum is over places, and over all layers that read the unit.
    """

    name = "taylor"
    title = "Taylor (activation)"
    summary = "How steeply the loss reacts to taking a unit's activation away."
    paper = "molchanov2017pruning"
    caveat = (
        "A slope, not a step. Of heads it is the importance of Michel et al. (2019) without their "
        "scaling of layers. Pictures without a label are asked about the predicted class."
    )
    needs = "gradients"

    def of_group(self, material: Material, group: Group) -> np.ndarray:
        """Return it for each unit, float64 ``(size,)``."""
        return material.told.slopes[group.name][0]
