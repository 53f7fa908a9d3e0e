"""How often the answer is another one without the head."""

from __future__ import annotations

import torch

from engine.heads.families.ablating import AblationMetric
from engine.heads.said import Said


class Flips(AblationMetric):
    """Whether the most probable class is another one."""

    name = "flips"
    title = "Changed answers"
    summary = "Switches each head off and counts the pictures whose answer changes."
    unit = "share of the pictures whose answer changes"
    paper = "michel2019sixteen"
    caveat = (
        "Coarse: of a good model single heads change few answers. Asks about no class. On one "
        "picture it is 0 or 1."
    )

    def score(self, said: Said, without: Said, classes: torch.Tensor) -> torch.Tensor:
        """Return 1 where it is, else 0."""
        return (said.predicted != without.predicted).double()
