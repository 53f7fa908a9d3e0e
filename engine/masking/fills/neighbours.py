"""Hidden pixels interpolated from the visible ones around them: harmonic inpainting."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from engine.masking.fills.fill import Fill, Forward
from engine.masking.fills.pricing import Price
from engine.masking.fills.suiting import needs_pictures, takes_maps, whole_pixels
from engine.models.loaded import LoadedModel

_TOLERANCE = 3e-4  # of the largest number that is interpolated
_MOST_STEPS = 500
_SMALLEST = 4  # cells along a side, below which nothing coarser is solved first


class Neighbours(Fill):
    """A smooth surface through the visible pixels: each hidden pixel is its neighbours' mean.

    The harmonic function of the four neighbours with the visible pixels as its edge, mirrored at
    the picture's rim; exact on linear ramps wherever the hole does not touch the rim. With
    nothing visible, the mean colour. Solved by conjugate gradients from coarse to fine, each
    equation to within 0.0003 of the largest visible number.
    """

    name = "neighbours"
    title = "Neighbours"
    summary = "A smooth surface, interpolated from the visible pixels around."

    def refusal(self, model: LoadedModel) -> str:
        """What is no picture."""
        return "" if takes_maps(model) else needs_pictures(self.name)

    def price(self, model: LoadedModel) -> float:
        """Measured when first asked for."""
        return _price.of(model)

    def outputs(
        self, model: LoadedModel, forward: Forward, x: torch.Tensor, keep: torch.Tensor
    ) -> torch.Tensor:
        """As in ``Fill``."""
        self.check_suits(model)
        return forward(interpolated(x, whole_pixels(self.name, keep, x)))


def interpolated(
    x: torch.Tensor, keep: torch.Tensor, tolerance: float = _TOLERANCE
) -> torch.Tensor:
    """Return x with its hidden pixels interpolated.

    Args:
        x: ``(1, channels, rows, columns)``.
        keep: bool ``(n, 1, rows, columns)``; True = stays.
        tolerance: how far a hidden pixel may lie from its neighbours' mean, as a share of the
            largest number that is visible.

    Returns:
        ``(n, channels, rows, columns)``; what stays is as it was, and what is hidden has no
        influence.
    """
    known = torch.where(keep, x, 0)
    bound = tolerance * known.abs().amax(dim=(1, 2, 3), keepdim=True)  # (n, 1, 1, 1)
    found = _solved(known, keep, bound)
    empty = ~keep.flatten(1).any(dim=1)[:, None, None, None]
    return torch.where(keep, x, torch.where(empty, 0, found))


def _solved(known: torch.Tensor, keep: torch.Tensor, bound: torch.Tensor) -> torch.Tensor:
    """Solve at half the size first: its answer is where the search begins."""
    if bool(keep.all()):
        return known
    rows, columns = known.shape[-2:]
    if min(rows, columns) <= _SMALLEST:
        count = keep.sum(dim=(2, 3), keepdim=True).clamp(min=1)
        first = (known.sum(dim=(2, 3), keepdim=True) / count).expand_as(known)
    else:
        share = F.avg_pool2d(keep.to(known.dtype), 2, ceil_mode=True)
        small = F.avg_pool2d(known, 2, ceil_mode=True) / share.clamp(min=1e-6)
        coarse = _solved(torch.where(share > 0, small, 0), share > 0, bound)
        size = (2 * coarse.shape[-2], 2 * coarse.shape[-1])
        first = F.interpolate(coarse, size, mode="bilinear")[..., :rows, :columns]
    return _conjugate_gradients(torch.where(keep, known, first), ~keep, bound)


def _conjugate_gradients(
    x: torch.Tensor, hidden: torch.Tensor, bound: torch.Tensor
) -> torch.Tensor:
    """Improve hidden pixels till each lies within a bound of its neighbours' mean."""
    free = hidden.to(x.dtype)
    residual = -free * _laplace(x)
    step = residual
    size = _dot(residual, residual)
    for _ in range(_MOST_STEPS):
        # Each channel of each sample stops by itself, whatever it is solved beside.
        going = residual.abs().amax(dim=(2, 3), keepdim=True) > bound
        if not bool(going.any()):
            break
        moved = free * _laplace(step)
        length = torch.where(going, size / _dot(step, moved).clamp(min=1e-30), 0)
        x = x + length * step
        residual = residual - length * moved
        before, size = size, _dot(residual, residual)
        step = residual + size / before.clamp(min=1e-30) * step
    return x


def _laplace(x: torch.Tensor) -> torch.Tensor:
    """Sum of differences to the four neighbours; there are none beyond the rim."""
    found = torch.zeros_like(x)
    down = x[:, :, 1:] - x[:, :, :-1]
    found[:, :, 1:] += down
    found[:, :, :-1] -= down
    across = x[..., 1:] - x[..., :-1]
    found[..., 1:] += across
    found[..., :-1] -= across
    return found


def _dot(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Inner product of each sample's each channel, ``(n, channels, 1, 1)``."""
    return (one * other).sum(dim=(2, 3), keepdim=True)


def _priced(model: LoadedModel, x: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    return model.forward(interpolated(x, keep))


_price = Price(_priced)
