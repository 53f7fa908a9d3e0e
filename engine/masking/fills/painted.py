"""Fills that paint: the mean, a grey level, a blur of the picture itself."""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F

from engine.errors import MethodError
from engine.masking.fills.fill import Replacement
from engine.masking.fills.suiting import needs_pictures, takes_maps
from engine.models.loaded import LoadedModel
from engine.models.specs import ImageSpec
from engine.models.table_specs import TableSpec


class Mean(Replacement):
    """The mean of the data the model was trained on.

    Pictures and plain tensors: zero after normalisation. Rows of a table: numbers at their mean,
    categories at their shares.
    """

    name = "mean"
    title = "Mean colour"
    summary = "The mean of the data the model was trained on."

    def values(self, model: LoadedModel, x: torch.Tensor) -> torch.Tensor:
        """Zeros, or a table's mean row."""
        if isinstance(model.spec, TableSpec):
            return torch.from_numpy(model.spec.mean_row).to(x).expand_as(x)
        return torch.zeros_like(x)


class _Plain(Replacement):
    level: ClassVar[float]

    def refusal(self, model: LoadedModel) -> str:
        """What is no picture."""
        return "" if isinstance(model.spec, ImageSpec) else needs_pictures(self.name)

    def values(self, model: LoadedModel, x: torch.Tensor) -> torch.Tensor:
        """One grey level, normalised as the network wants it."""
        if not isinstance(model.spec, ImageSpec):
            raise MethodError(needs_pictures(self.name))
        return model.spec.normalise(torch.full_like(x, self.level))


class Black(_Plain):
    """Black."""

    name = "black"
    title = "Black"
    summary = "Black."
    level = 0.0


class Grey(_Plain):
    """Middle grey."""

    name = "grey"
    title = "Grey"
    summary = "Middle grey."
    level = 0.5


class White(_Plain):
    """White."""

    name = "white"
    title = "White"
    summary = "White."
    level = 1.0


class Blur(Replacement):
    """The picture itself, blurred: σ = 10 pixels at 224, in proportion at other sizes."""

    name = "blur"
    title = "Blurred"
    summary = "The picture itself, blurred."

    def refusal(self, model: LoadedModel) -> str:
        """What has no rows and columns."""
        return "" if takes_maps(model) else needs_pictures(self.name)

    def values(self, model: LoadedModel, x: torch.Tensor) -> torch.Tensor:
        """The blurred picture."""
        self.check_suits(model)
        return gaussian_blur(x, sigma=10 * min(x.shape[-2:]) / 224)


class Values(Replacement):
    """Given values.

    Args:
        given: prepared, ``(1, …)`` or ``(n, …)``: one for each of n masks.
    """

    name = "values"
    title = "Given values"

    def __init__(self, given: torch.Tensor) -> None:
        self.given = given

    def values(self, model: LoadedModel, x: torch.Tensor) -> torch.Tensor:
        """The values as they were given."""
        return self.given.to(x)


def gaussian_blur(x: torch.Tensor, sigma: float) -> torch.Tensor:
    """Blur ``(n, channels, height, width)`` with a Gaussian cut off at 4 σ, edges mirrored."""
    for axis in (2, 3):
        x = _blur_axis(x, axis, sigma)
    return x


def _blur_axis(x: torch.Tensor, axis: int, sigma: float) -> torch.Tensor:
    length = x.shape[axis]
    radius = int(4 * sigma + 0.5)
    offsets = torch.arange(-radius, radius + 1, device=x.device, dtype=x.dtype)
    weights = torch.exp(-0.5 * (offsets / sigma) ** 2)
    weights = weights / weights.sum()
    # Mirror as often as the radius needs: … 2 1 0 | 0 1 2 … (period 2 × length).
    indices = torch.arange(-radius, length + radius, device=x.device) % (2 * length)
    mirrored = torch.where(indices < length, indices, 2 * length - 1 - indices)
    padded = x.index_select(axis, mirrored).movedim(axis, -1)  # (n, c, other, length + 2 radius)
    flat = padded.reshape(-1, 1, padded.shape[-1])
    blurred = F.conv1d(flat, weights[None, None]).reshape(*padded.shape[:-1], length)
    return blurred.movedim(-1, axis)
