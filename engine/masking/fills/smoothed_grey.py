"""Grey without a sharp rim (balasubramanian2023towards compares with it)."""

from __future__ import annotations

import torch

from engine.masking.fills.fill import Fill, Forward
from engine.masking.fills.painted import Grey, gaussian_blur
from engine.masking.fills.suiting import needs_pictures, whole_pixels
from engine.models.loaded import LoadedModel
from engine.models.specs import ImageSpec

_SIGMA = 3.0  # pixels at 224


class SmoothedGrey(Fill):
    """Grey that fades into the picture, so that the mask has no edge of its own.

    What stays of a pixel is 2 G(m) − 1, where G blurs the mask m with σ = 3 pixels at 224 (in
    proportion at other sizes), no less than 0 and 0 where it is hidden: half way at a straight
    rim G is ½, so the fading lies inside what is kept, and hidden pixels have no influence (our
    definition).
    """

    name = "smoothed-grey"
    title = "Grey, smooth rim"
    summary = "Grey that fades into the picture over a few pixels, so that no edge shows."
    paper = "balasubramanian2023towards"

    def refusal(self, model: LoadedModel) -> str:
        """What is no picture."""
        return "" if isinstance(model.spec, ImageSpec) else needs_pictures(self.name)

    def outputs(
        self, model: LoadedModel, forward: Forward, x: torch.Tensor, keep: torch.Tensor
    ) -> torch.Tensor:
        """As in ``Fill``."""
        self.check_suits(model)
        share = shares_with_smooth_rim(whole_pixels(self.name, keep, x)).to(x.dtype)
        grey = Grey().values(model, x)
        return forward(torch.where(share == 1, x, x * share + grey * (1 - share)))


def shares_with_smooth_rim(keep: torch.Tensor) -> torch.Tensor:
    """Return how much of each pixel stays, ``(n, 1, rows, columns)`` in [0, 1], from a mask."""
    sigma = _SIGMA * min(keep.shape[-2:]) / 224
    blurred = 2 * gaussian_blur(keep.float(), sigma) - 1
    share = torch.where(blurred > 1 - 1e-5, 1.0, blurred.clamp(0, 1))
    return torch.where(keep, share, 0.0)
