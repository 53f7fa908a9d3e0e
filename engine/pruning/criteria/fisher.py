"""Half the mean square of what the loss would change by (theis2018faster)."""

from __future__ import annotations

import numpy as np

from engine.pruning.scoring.criterion import Criterion, Material
from engine.pruning.units import Group


class Fisher(Criterion):
    """½ E (Σ A·G)² over pictures; A and G as Taylor has them."""

    name = "fisher"
    title = "Fisher"
    summary = "Like Taylor, squared: few steep pictures outweigh many flat ones."
    paper = "theis2018faster"
    caveat = "Of the labels at hand, not of labels drawn from the model."
    needs = "gradients"

    def of_group(self, material: Material, group: Group) -> np.ndarray:
        """Return it for each unit, float64 ``(size,)``."""
        return np.asarray(material.told.slopes[group.name][1] / 2)
