"""What methods that draw have in common: draws by index, running means, partial results."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import torch

from engine.attribution.method import Evidence, Run

_SHOWN_AFTER = (8, 4, 2)


def sampled(
    run: Run, count: int, work: Callable[[int, int], None], so_far: Callable[[], Evidence]
) -> Evidence:
    """Do work on samples a few at a time, and show what there is on the way.

    After an eighth, a quarter and half of the samples ``run.partial`` gets what was found so
    far. Samples are grouped in the same way whether or not anyone looks.

    Args:
        count: number of samples.
        work: takes in the samples ``[start, stop)``; nothing of it stays if it raises.
        so_far: what the samples taken in say.

    Returns:
        What all samples say, with their number told.
    """
    marks = sorted({ceil(count / part) for part in _SHOWN_AFTER} - {count})
    for start, stop in zip([0, *marks], [*marks, count], strict=True):
        _between(run, start, stop, work)
        if stop < count and run.partial is not None:
            run.partial(so_far(), stop)
    evidence = so_far()
    return Evidence(evidence.values, evidence.error, {**evidence.told, "samples": count})


def _between(run: Run, first: int, last: int, work: Callable[[int, int], None]) -> None:
    run.chunks.over(last - first, run.passes, lambda start, stop: work(first + start, first + stop))


class Moments:
    """Mean and standard error of samples of one shape that come a few at a time, in float64."""

    def __init__(self) -> None:
        self._count = 0
        self._mean = torch.zeros((), dtype=torch.float64)
        self._squares = torch.zeros((), dtype=torch.float64)

    def add(self, samples: torch.Tensor) -> None:
        """Take in samples ``(n, …)``; all of them or, if it raises, none."""
        new = samples.detach().cpu().double()
        count = self._count + len(new)
        centre = new.mean(dim=0)
        apart = centre - self._mean
        within = (new - centre).square().sum(dim=0)
        squares = self._squares + within + apart.square() * (self._count * len(new) / count)
        mean = self._mean + apart * (len(new) / count)
        self._count, self._mean, self._squares = count, mean, squares

    @property
    def mean(self) -> torch.Tensor:
        """Of the samples so far, float64 ``(…)``."""
        return self._mean

    @property
    def error(self) -> torch.Tensor:
        """Standard error of the mean, float64 ``(…)``; of 1 sample, its distance from 0."""
        if self._count < 2:
            return self._mean.abs()
        return (self._squares / (self._count - 1) / self._count).sqrt()
