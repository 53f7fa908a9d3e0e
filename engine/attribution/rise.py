"""RISE (petsiuk2018rise)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil

import numpy as np
import torch
import torch.nn.functional as F

from engine.attribution.method import PICTURE_FAMILIES, Evidence, Method, Run
from engine.attribution.sampling import sampled
from engine.execution.cost import Cost
from engine.execution.draws import generator
from engine.masking.fills.registry import PICTURE_FILLS, with_fills
from engine.masking.predict import masked_outputs
from engine.models.loaded import LoadedModel
from engine.parameters import Parameter, Value


class Rise(Method):
    """How far the score lies above its mean where a pixel stays, over random soft masks.

    With masks M and scores s of the masked pictures: ΣsM / ΣM − mean s, in units of the
    score. The paper divides ΣsM by the masks' expected sum; we divide by their sum at each
    pixel, which has the same limit and less noise, and take the mean off, so that 0 says
    "makes no difference" (our definition). Fills that can only hide or keep get masks cut off
    at ½ (our definition). All channels carry the same value.
    """

    name = "rise"
    title = "RISE"
    summary = "Hides random parts of the picture, and sees where the score is high if they stay."
    families = PICTURE_FAMILIES
    parameters = (
        Parameter("masks", "Masks", "int", 1000, "Number of random masks.", low=2, high=20_000),
        Parameter("grid", "Grid", "int", 7, "Cells of a mask along each side.", low=2, high=32),
        Parameter(
            "keep", "Keep", "float", 0.5, "Probability that a cell stays.", low=0.05, high=0.95
        ),
        Parameter(
            "fill",
            "Fill",
            "choice",
            "mean",
            "What stands where it is hidden.",
            choices=PICTURE_FILLS,
        ),
    )
    paper = "petsiuk2018rise"
    caveat = "Masks are drawn at random: look at the standard error before reading details."
    fold = "mean"

    def parameters_for(self, model: LoadedModel) -> tuple[Parameter, ...]:
        """Cells of 8 pixels or more, but 7 × 7 of them at most."""
        masks, grid, keep, fill = self.parameters
        side = min(model.spec.shape[-2:])
        cells = min(7, max(2, side // 8))
        return (
            masks,
            replace(grid, default=cells, high=min(32, side)),
            keep,
            with_fills(fill, model),
        )

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """One forward pass for each mask."""
        return Cost(int(parameters["masks"]))

    def attribute(self, run: Run) -> Evidence:
        """Return values of the shape of the prepared input."""
        sums = _Sums()
        shape = run.x.shape[1:]

        def work(start: int, stop: int) -> None:
            masks = _masks(run, start, stop)
            if not run.fill.shares:
                masks = masks >= 0.5
            outputs = masked_outputs(
                run.passes,
                run.chunks,
                run.x,
                stop - start,
                lambda first, last: masks[first:last],
                run.fill,
            )
            sums.add(masks[:, 0], run.readout(outputs))

        def so_far() -> Evidence:
            values, errors = sums.values_and_errors()
            return Evidence(values.expand(shape), errors.expand(shape), {"mean_score": sums.mean})

        return sampled(run, int(run.parameters["masks"]), work, so_far)


def _masks(run: Run, start: int, stop: int) -> torch.Tensor:
    """Return the shares that stay under the masks ``[start, stop)``, ``(n, 1, rows, columns)``.

    A grid of cells that stay or go, enlarged by bilinear interpolation to one cell more than
    the picture, and cut out at a random place.
    """
    cells = int(run.parameters["grid"])
    rows, columns = run.x.shape[-2:]
    high, wide = ceil(rows / cells), ceil(columns / cells)
    grids, corners = [], []
    for index in range(start, stop):
        draw = generator(run.seed, index)
        grids.append(draw.random((1, cells, cells)) < float(run.parameters["keep"]))
        corners.append((int(draw.integers(high)), int(draw.integers(wide))))
    grid = torch.from_numpy(np.stack(grids)).float()  # (n, 1, cells, cells)
    size = ((cells + 1) * high, (cells + 1) * wide)
    large = F.interpolate(grid, size, mode="bilinear", align_corners=False)
    cut = [
        mask[:, top : top + rows, left : left + columns]
        for mask, (top, left) in zip(large, corners, strict=True)
    ]
    return torch.stack(cut)


class _Sums:
    """What has to be kept of masks and scores: sums, in float64."""

    def __init__(self) -> None:
        # Σ M sᵏ and Σ M² sᵏ at each pixel, and Σ sᵏ, for k = 0, 1, 2.
        self._once = self._twice = self._scores = torch.zeros((), dtype=torch.float64)

    def add(self, masks: torch.Tensor, scores: torch.Tensor) -> None:
        """Take in masks ``(n, rows, columns)`` and their scores ``(n,)``; all or none."""
        shares, s = masks.double(), scores.detach().cpu().double()
        powers = torch.stack([torch.ones_like(s), s, s * s])  # (3, n)
        once = self._once + torch.einsum("kn,nij->kij", powers, shares)
        twice = self._twice + torch.einsum("kn,nij->kij", powers, shares * shares)
        self._once, self._twice = once, twice
        self._scores = self._scores + powers.sum(dim=1)

    @property
    def mean(self) -> float:
        """Mean score of all masks."""
        return float(self._scores[1] / self._scores[0])

    def values_and_errors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return ΣsM / ΣM − mean s, and its standard error, each ``(rows, columns)``.

        The error is that of a ratio, to first order: mask i moves the value by
        (M (s − r) / mean M − (s − mean s)) / n, with r = ΣsM / ΣM; these are squared and added.
        """
        count, mean = self._scores[0], self.mean
        covered = self._once[0].clamp(min=1e-12)
        ratio = self._once[1] / covered  # r
        share = covered / count  # mean M
        own = (self._twice[2] - 2 * ratio * self._twice[1] + ratio**2 * self._twice[0]) / share**2
        both = (
            self._once[2] - (ratio + mean) * self._once[1] + ratio * mean * self._once[0]
        ) / share
        spread = self._scores[2] - count * mean**2
        variance = (own - 2 * both + spread).clamp(min=0) / count**2
        seen = self._once[0] > 0
        return torch.where(seen, ratio - mean, 0), torch.where(seen, variance.sqrt(), 0)
