"""What stands where an input is hidden."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
import torch.nn.functional as F

from engine.errors import MethodError, ParameterError, nearest
from engine.models.loaded import LoadedModel
from engine.models.specs import ImageSpec
from engine.models.table_specs import TableSpec

Forward = Callable[[torch.Tensor], torch.Tensor]


class Fill(ABC):
    """One way of hiding.

    A fill may do more than paint: it gets the forward pass and the masks, and returns
    outputs, so that hiding inside the network fits the same interface.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    @abstractmethod
    def outputs(
        self, model: LoadedModel, forward: Forward, x: torch.Tensor, keep: torch.Tensor
    ) -> torch.Tensor:
        """Return logits ``(n, classes)`` of one prepared input under n masks.

        Args:
            model: the model.
            forward: the counted forward pass, ``(n, …)`` → logits.
            x: ``(1, …)``, prepared.
            keep: bool ``(n, …)``, broadcastable to the input; True = stays. Replacements
                also take shares in [0, 1]: how much of each value stays.
        """


class Replacement(Fill):
    """Puts other values in place of the hidden ones; subclasses say which."""

    @abstractmethod
    def values(self, model: LoadedModel, x: torch.Tensor) -> torch.Tensor:
        """Return what stands where x ``(1, …)`` is hidden.

        Either the same under every mask, broadcastable to x, or ``(n, …)``: one for each mask.
        """

    def outputs(
        self, model: LoadedModel, forward: Forward, x: torch.Tensor, keep: torch.Tensor
    ) -> torch.Tensor:
        """As in ``Fill``."""
        values = self.values(model, x)
        if keep.dtype == torch.bool:
            return forward(torch.where(keep, x, values))
        share = keep.to(x.dtype)
        return forward(x * share + values * (1 - share))


class Mean(Replacement):
    """The mean of the data the model was trained on.

    Pictures and plain tensors: zero after normalisation. Rows of a table: numbers at their mean,
    categories at their shares.
    """

    name = "mean"
    title = "Mean colour"

    def values(self, model: LoadedModel, x: torch.Tensor) -> torch.Tensor:
        """Zeros, or a table's mean row."""
        if isinstance(model.spec, TableSpec):
            return torch.from_numpy(model.spec.mean_row).to(x).expand_as(x)
        return torch.zeros_like(x)


class _Plain(Replacement):
    level: ClassVar[float]

    def values(self, model: LoadedModel, x: torch.Tensor) -> torch.Tensor:
        """One grey level, normalised as the network wants it."""
        if not isinstance(model.spec, ImageSpec):
            raise MethodError(f"the fill {self.name!r} needs pictures; use 'mean'")
        return model.spec.normalise(torch.full_like(x, self.level))


class Black(_Plain):
    """Black."""

    name = "black"
    title = "Black"
    level = 0.0


class Grey(_Plain):
    """Middle grey."""

    name = "grey"
    title = "Grey"
    level = 0.5


class White(_Plain):
    """White."""

    name = "white"
    title = "White"
    level = 1.0


class Blur(Replacement):
    """The picture itself, blurred: σ = 10 pixels at 224, in proportion at other sizes."""

    name = "blur"
    title = "Blurred"

    def values(self, model: LoadedModel, x: torch.Tensor) -> torch.Tensor:
        """The blurred picture."""
        if x.ndim != 4:
            raise MethodError("the fill 'blur' needs pictures; use 'mean'")
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


FILLS: dict[str, Fill] = {fill.name: fill for fill in (Mean(), Black(), Grey(), White(), Blur())}


def find_fill(fill: str | Fill) -> Fill:
    """Return a fill by name; a fill in hand is passed through.

    Raises:
        ParameterError: there is none of that name.
    """
    if isinstance(fill, Fill):
        return fill
    if fill not in FILLS:
        raise ParameterError(f"no fill {fill!r}; {nearest(str(fill), FILLS)}")
    return FILLS[fill]


def find_replacement(fill: str | Fill) -> Replacement:
    """Return a fill that has values of its own, to serve as a baseline.

    Raises:
        ParameterError: there is none of that name, or it hides in another way.
    """
    found = find_fill(fill)
    if not isinstance(found, Replacement):
        raise ParameterError(f"the fill {found.name!r} has no values, so it is no baseline")
    return found
