"""The same with every layer brought to length 1 (molchanov2017pruning, michel2019sixteen)."""

from __future__ import annotations

import numpy as np

from engine.pruning.criteria.taylor import Taylor
from engine.pruning.scoring.criterion import Material
from engine.pruning.units import Group


class TaylorScaled(Taylor):
    """E |Σ A·G| divided by the root of the layer's summed squares."""

    name = "taylor-scaled"
    title = "Taylor, layers scaled"
    summary = "As Taylor, each layer divided by its length, so that layers count alike."
    paper = "michel2019sixteen"
    caveat = (
        "Within a layer the order is Taylor's. Between layers scaling hides that some matter "
        "less than others; of heads it lowers agreement with ablation."
    )

    def of_group(self, material: Material, group: Group) -> np.ndarray:
        """Return it for each unit, float64 ``(size,)``."""
        scores = super().of_group(material, group)
        length = np.sqrt((scores**2).sum())
        return np.asarray(scores / length if length > 0 else scores)
