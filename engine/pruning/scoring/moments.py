"""Mean and variance of many numbers, some at a time: the same in whatever parts they come."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, eq=False)
class Moments:
    """What is known of columns of numbers, float64 (chan1983algorithms).

    Attributes:
        count: of rows.
        mean: ``(columns,)``.
        spread: ``(columns,)``, the sum of squared distances from the mean.
    """

    count: int
    mean: torch.Tensor
    spread: torch.Tensor

    @property
    def variance(self) -> torch.Tensor:
        """Variance of the rows as a population (divided by their count), ``(columns,)``."""
        return self.spread / self.count

    @property
    def energy(self) -> torch.Tensor:
        """Sum of squares, ``(columns,)``."""
        return self.spread + self.count * self.mean.square()

    def with_more(self, other: Moments) -> Moments:
        """Return the moments of both parts together."""
        count = self.count + other.count
        step = other.mean - self.mean
        mean = self.mean + step * (other.count / count)
        between = step.square() * (self.count * other.count / count)
        return Moments(count, mean, self.spread + other.spread + between)


def moments_of_maps(maps: torch.Tensor) -> Moments:
    """Return the moments of channels ``(n, channels, …)``, over pictures and places.

    Within a picture's map they are added up in the maps' own float32, over pictures in float64:
    several times faster than float64 all along, and as exact as what reads them.
    """
    if maps.ndim < 3 or maps.dtype != torch.float32 or not maps[0, 0].numel():
        return moments_of(maps, 1)
    flat = maps.detach().flatten(2)  # (n, channels, places)
    count = flat.shape[0] * flat.shape[2]
    mean = flat.sum(dim=2).double().sum(dim=0) / count
    near = mean.float()
    apart = torch.linalg.vector_norm(flat - near[:, None], dim=2)  # (n, channels)
    spread = apart.double().square().sum(dim=0) - count * (mean - near.double()).square()
    return Moments(count, mean.cpu(), spread.clamp_min(0).cpu())


def moments_of(given: torch.Tensor, axis: int) -> Moments:
    """Return the moments along one axis, over all others; float64 on the CPU."""
    rows = given.detach().movedim(axis, -1).flatten(0, -2).double()  # (rows, columns)
    mean = rows.mean(dim=0)
    spread = (rows - mean).square().sum(dim=0)
    return Moments(len(rows), mean.cpu(), spread.cpu())
