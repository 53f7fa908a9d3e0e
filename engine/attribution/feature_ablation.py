"""Feature ablation: hide one region after the other (zeiler2014visualizing)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch

from engine.attribution.baselines import find_baselines
from engine.attribution.coalitions import Game
from engine.attribution.method import ALL_FAMILIES, Evidence, Method, Run
from engine.attribution.rows import column_count
from engine.attribution.sampling import Moments
from engine.execution.cost import Cost
from engine.masking.fills.registry import PICTURE_FILLS, with_fills
from engine.masking.predict import masked_outputs
from engine.masking.regions import REGIONS, find_regions
from engine.models.loaded import LoadedModel
from engine.parameters import Parameter, Value


class FeatureAblation(Method):
    """How far the score falls when a region is hidden, on each of the region's pixels.

    In units of the score; a region's pixels and channels carry its whole fall, not a share
    of it. Regions are the cells of a grid or SLIC superpixels (achanta2012slic); of what is
    no picture, each column is a region, and with a background the fall is the mean over its rows,
    of which each in turn stands in the column.
    """

    name = "feature-ablation"
    title = "Feature Ablation"
    summary = "Hides one part of the input after the other and sees how far the score falls."
    families = ALL_FAMILIES
    parameters = (
        Parameter(
            "regions", "Regions", "choice", "superpixels", "How it is divided.", choices=REGIONS
        ),
        Parameter("cells", "Cells", "int", 8, "Grid cells along each side.", low=2, high=64),
        Parameter("segments", "Segments", "int", 60, "Superpixels at the most.", low=10, high=1000),
        Parameter(
            "fill", "Fill", "choice", "mean", "What stands in the region.", choices=PICTURE_FILLS
        ),
    )
    paper = "zeiler2014visualizing"
    caveat = "Parts are hidden one at a time: what two of them say alike counts for neither."
    fold = "mean"
    takes_background = True

    def accepts_background(self, model: LoadedModel) -> bool:
        """Only for tables: in pictures a fill stands where they are hidden."""
        return model.family == "tabular"

    def parameters_for(self, model: LoadedModel) -> tuple[Parameter, ...]:
        """No more cells than pixels; for what is no picture, only the fill, which is the mean."""
        regions, cells, segments, fill = self.parameters
        shape = model.spec.shape
        if len(shape) != 3:
            told = "What stands in a hidden column where there is no background."
            return (replace(fill, choices=("mean",), help=told),)
        side = min(shape[-2:])
        cells = replace(cells, default=min(8, side), high=min(64, side))
        return regions, cells, segments, with_fills(fill, model)

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """One forward pass for each region (and row), and one with nothing hidden."""
        if "regions" not in parameters:
            return Cost(column_count(model.spec) * (rows or 1) + 1)
        grid = parameters["regions"] == "grid"
        return Cost(1 + (int(parameters["cells"]) ** 2 if grid else int(parameters["segments"])))

    def attribute(self, run: Run) -> Evidence:
        """Return values of the shape of the prepared input, or per column."""
        if "regions" not in run.parameters:
            return _of_columns(run)
        labels = find_regions(run.model, run.x, run.parameters)  # (…), 0 … count - 1
        count = int(labels.max()) + 1

        def keep(start: int, stop: int) -> torch.Tensor:
            # The first mask hides nothing: it gives the score to compare with.
            hidden = torch.arange(start, stop).reshape(-1, *[1] * labels.ndim) - 1
            return labels != hidden

        outputs = masked_outputs(run.passes, run.chunks, run.x, count + 1, keep, run.fill)
        scores = run.readout(outputs).double().cpu()
        falls = (scores[0] - scores[1:])[labels]
        return Evidence(falls.expand(run.x.shape[1:]), told={"regions": count})


def _of_columns(run: Run) -> Evidence:
    """Hide one column after the other, each behind every row of the background."""
    baselines = find_baselines(run, (str(run.parameters["fill"]),))
    game = Game.of(run, baselines.rows)
    with torch.no_grad():
        whole = float(run.score(run.x))
    hidden = ~torch.eye(game.players, dtype=torch.bool)
    falls = Moments()
    falls.add(whole - game.scores_of_all_rows(hidden).T)  # (rows, players)
    error = game.per_column(falls.error) if len(baselines.rows) > 1 else None
    told = {"regions": column_count(run.model.spec), "background": baselines.told}
    return Evidence(game.per_column(falls.mean), error, told)
