"""Occlusion (zeiler2014visualizing)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil

import torch

from engine.attribution.method import PICTURE_FAMILIES, Evidence, Method, Run
from engine.execution.cost import Cost
from engine.masking.fills.registry import PICTURE_FILLS, with_fills
from engine.masking.predict import KeepRange, masked_outputs
from engine.models.loaded import LoadedModel
from engine.parameters import Parameter, Value

Window = tuple[slice, slice]


class Occlusion(Method):
    """How far the score falls when a window hides a place; the mean over windows there.

    In units of the score; all channels of a pixel carry the same value.
    """

    name = "occlusion"
    title = "Occlusion"
    summary = "Slides a window over the picture and sees how far the score falls."
    families = PICTURE_FAMILIES
    parameters = (
        Parameter("window", "Window", "int", 32, "Side of the window in pixels.", 1, 1024),
        Parameter("stride", "Stride", "int", 16, "Pixels from one window to the next.", 1, 1024),
        Parameter(
            "fill", "Fill", "choice", "mean", "What stands in the window.", choices=PICTURE_FILLS
        ),
    )
    paper = "zeiler2014visualizing"
    caveat = "The window itself is a shape the network has not seen; try another fill."
    fold = "mean"

    def parameters_for(self, model: LoadedModel) -> tuple[Parameter, ...]:
        """A window of a seventh of the shorter side, moved by half of itself."""
        side = min(model.spec.shape[-2:])
        size = max(1, round(side / 7))
        window, stride, fill = self.parameters
        return (
            replace(window, default=size, high=side),
            replace(stride, default=max(1, size // 2), high=side),
            with_fills(fill, model),
        )

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """One forward pass for each window, and one with nothing hidden."""
        rows, columns = model.spec.shape[-2:]
        return Cost(len(windows_over(rows, columns, parameters)) + 1)

    def attribute(self, run: Run) -> Evidence:
        """Return values of the shape of the prepared input."""
        rows, columns = run.x.shape[-2:]
        windows = windows_over(rows, columns, run.parameters)
        keep = keep_windows(windows, rows, columns)
        outputs = masked_outputs(run.passes, run.chunks, run.x, len(windows) + 1, keep, run.fill)
        scores = run.readout(outputs).double().cpu()
        means = mean_over_windows(scores[0] - scores[1:], windows, rows, columns)
        return Evidence(means.float().expand(run.x.shape[1:]), told={"windows": len(windows)})


def windows_over(rows: int, columns: int, parameters: Mapping[str, Value]) -> list[Window]:
    """Return the windows row by row; those at the far edges are cut off there."""
    size, stride = int(parameters["window"]), int(parameters["stride"])
    return [
        (slice(top, top + size), slice(left, left + size))
        for top in _starts(rows, size, stride)
        for left in _starts(columns, size, stride)
    ]


def _starts(length: int, size: int, stride: int) -> list[int]:
    return [stride * index for index in range(ceil(max(0, length - size) / stride) + 1)]


def keep_windows(windows: list[Window], rows: int, columns: int) -> KeepRange:
    """Return masks ``(n, 1, rows, columns)``: the first hides nothing, each other one window."""

    def keep(start: int, stop: int) -> torch.Tensor:
        masks = torch.ones(stop - start, 1, rows, columns, dtype=torch.bool)
        for index, mask in enumerate(masks, start):
            if index:
                mask[:, *windows[index - 1]] = False
        return masks

    return keep


def mean_over_windows(
    drops: torch.Tensor, windows: list[Window], rows: int, columns: int
) -> torch.Tensor:
    """Return the mean drop over the windows that cover each pixel; 0 where none does."""
    total = torch.zeros(rows, columns, dtype=torch.float64)
    count = torch.zeros(rows, columns, dtype=torch.float64)
    for drop, window in zip(drops, windows, strict=True):
        total[window] += drop
        count[window] += 1
    return total / count.clamp(min=1)
