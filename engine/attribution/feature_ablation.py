"""Feature ablation: hide one region after the other (zeiler2014visualizing)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch

from engine.attribution.method import ALL_FAMILIES, Evidence, Method, Run
from engine.attribution.parameters import Parameter, Value
from engine.attribution.regions import REGIONS, find_regions
from engine.execution.cost import Cost
from engine.masking.fills import FILLS
from engine.masking.predict import masked_outputs
from engine.models.loaded import LoadedModel


class FeatureAblation(Method):
    """How far the score falls when a region is hidden, on each of the region's pixels.

    In units of the score; a region's pixels and channels carry its whole fall, not a share
    of it. Regions are the cells of a grid or SLIC superpixels (achanta2012slic); of what is
    no picture, each feature is a region.
    """

    name = "feature-ablation"
    title = "Feature Ablation"
    summary = "Hides one region after the other and sees how far the score falls."
    families = ALL_FAMILIES
    parameters = (
        Parameter(
            "regions", "Regions", "choice", "superpixels", "How it is divided.", choices=REGIONS
        ),
        Parameter("cells", "Cells", "int", 8, "Grid cells along each side.", low=2, high=64),
        Parameter("segments", "Segments", "int", 60, "Superpixels at the most.", low=10, high=1000),
        Parameter(
            "fill", "Fill", "choice", "mean", "What stands in the region.", choices=tuple(FILLS)
        ),
    )
    paper = "zeiler2014visualizing"
    caveat = "Regions are hidden one at a time: what two of them say alike counts for neither."
    fold = "mean"

    def parameters_for(self, model: LoadedModel) -> tuple[Parameter, ...]:
        """No more cells than pixels; for what is no picture, only the fill, which is the mean."""
        regions, cells, segments, fill = self.parameters
        shape = model.spec.shape
        if len(shape) != 3:
            return (replace(fill, choices=("mean",)),)
        side = min(shape[-2:])
        return regions, replace(cells, default=min(8, side), high=min(64, side)), segments, fill

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value]) -> Cost:
        """One forward pass for each region, and one with nothing hidden."""
        if "regions" not in parameters:
            return Cost(torch.Size(model.spec.shape).numel() + 1)
        grid = parameters["regions"] == "grid"
        return Cost(1 + (int(parameters["cells"]) ** 2 if grid else int(parameters["segments"])))

    def attribute(self, run: Run) -> Evidence:
        """Return values of the shape of the prepared input."""
        labels = find_regions(run.model, run.x, run.parameters)  # (…), 0 … count - 1
        count = int(labels.max()) + 1

        def keep(start: int, stop: int) -> torch.Tensor:
            # The first mask hides nothing: it gives the score to compare with.
            hidden = torch.arange(start, stop).reshape(-1, *[1] * labels.ndim) - 1
            return labels != hidden

        outputs = masked_outputs(
            run.passes, run.chunks, run.x, count + 1, keep, str(run.parameters["fill"])
        )
        scores = run.readout(outputs).double().cpu()
        falls = (scores[0] - scores[1:])[labels]
        return Evidence(falls.expand(run.x.shape[1:]), told={"regions": count})
