"""Fall of the class's probability without the head."""

from __future__ import annotations

import torch

from engine.heads.families.ablating import AblationMetric
from engine.heads.said import Said


class ProbabilityDrop(AblationMetric):
    """p(class) as the model is, less p(class) without the head."""

    name = "probability-drop"
    title = "Fall of the probability"
    summary = "Switches each head off and sees how much less probable the class becomes."
    unit = "fall of the class's probability (0 to 1)"
    paper = "michel2019sixteen"
    caveat = (
        "Where the model is sure, probabilities hardly move; the cross-entropy tells heads apart "
        "better. A head that others stand in for looks unimportant."
    )

    def score(self, said: Said, without: Said, classes: torch.Tensor) -> torch.Tensor:
        """Return the fall, below 0 where the head speaks against the class."""
        return said.log_p_of(classes).exp() - without.log_p_of(classes).exp()
