"""How little a head's output is like those of the other heads (kornblith2019similarity)."""

from __future__ import annotations

import torch

from engine.heads.families.outputs import OutputMetric


class Uniqueness(OutputMetric):
    """1 − the largest linear CKA with another head of the layer, tokens being the samples."""

    name = "uniqueness"
    title = "Uniqueness"
    summary = "How little what a head puts out is like what the others of its layer do."
    unit = "1 − largest CKA with another head of the layer (0 to 1)"
    paper = "kornblith2019similarity"
    caveat = (
        "Looks at no outcome: a head may be unlike all others and matter to nothing. CKA of the "
        "heads' outputs over one picture's tokens, then the mean over pictures (our definition)."
    )

    def of_outputs(self, given: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return it for each head, ``(heads,)``; 1 for a head that is alone or puts out nothing."""
        centred = given - given.mean(dim=1, keepdim=True)  # (heads, tokens, width)
        cross = torch.einsum("gti,htj->ghij", centred, centred).square().sum(dim=(2, 3))
        own = cross.diagonal().sqrt()
        size = own[:, None] * own[None]
        similar = torch.where(size > 0, cross / size.clamp_min(1e-300), 0.0)
        others = similar.fill_diagonal_(0.0)
        return 1 - others.amax(dim=1).clamp(0, 1)
