"""Rise of the cross-entropy without the head (michel2019sixteen)."""

from __future__ import annotations

import torch

from engine.heads.families.ablating import AblationMetric
from engine.heads.said import Said


class CrossEntropy(AblationMetric):
    """Loss without the head, less loss as the model is."""

    name = "cross-entropy"
    title = "Rise of the loss"
    summary = "Switches each head off and sees how much worse the model does."
    unit = "rise of the cross-entropy (nats)"
    paper = "michel2019sixteen"
    caveat = (
        "The standard to hold the cheaper metrics against. One head at a time: a head that others "
        "stand in for looks unimportant until they are off as well."
    )

    def score(self, said: Said, without: Said, classes: torch.Tensor) -> torch.Tensor:
        """Return the rise, below 0 where the head speaks against the class."""
        return said.log_p_of(classes) - without.log_p_of(classes)
