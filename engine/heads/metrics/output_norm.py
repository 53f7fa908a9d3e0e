"""Size of what a head adds to the tokens (kobayashi2020attention)."""

from __future__ import annotations

import torch

from engine.heads.families.outputs import OutputMetric


class OutputNorm(OutputMetric):
    """Mean over tokens of ‖W_O o‖, o being what the head puts out."""

    name = "output-norm"
    title = "Size of the output"
    summary = "How much a head adds to the tokens, after the output projection."
    unit = "mean length of what is added to a token"
    paper = "kobayashi2020attention"
    caveat = "Looks at no outcome. Layers differ in scale: compare heads within one."

    def of_outputs(self, given: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return it for each head, ``(heads,)``."""
        return (given @ weight.transpose(1, 2)).norm(dim=2).mean(dim=1)
