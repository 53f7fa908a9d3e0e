"""Jensen-Shannon divergence of the outputs with and without the head (lin1991divergence)."""

from __future__ import annotations

import torch

from engine.heads.families.ablating import AblationMetric
from engine.heads.said import Said


class Divergence(AblationMetric):
    """How far all probabilities move, whichever way."""

    name = "divergence"
    title = "Jensen–Shannon divergence"
    summary = "Switches each head off and sees how far all probabilities move."
    unit = "Jensen–Shannon divergence of the outputs (nats, 0 to 0.69)"
    paper = "lin1991divergence"
    caveat = "Asks about no class: a head that changes the answer for the better counts as well."

    def score(self, said: Said, without: Said, classes: torch.Tensor) -> torch.Tensor:
        """Return the mean of both Kullback-Leibler divergences to the mean of the two."""
        p, q = said.log_p.expand_as(without.log_p), without.log_p
        middle = torch.logaddexp(p, q) - torch.log(torch.tensor(2.0, dtype=p.dtype))
        each = [_times(one.exp(), one - middle).sum(dim=-1) for one in (p, q)]
        return ((each[0] + each[1]) / 2).clamp_min(0)


def _times(weight: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Return their product, 0 where the weight is 0 and the value infinite."""
    return torch.where(weight > 0, weight * value, 0.0)
