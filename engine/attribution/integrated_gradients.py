"""Integrated gradients (sundararajan2017axiomatic)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch

from engine.attribution.baselines import find_baselines, score_ends
from engine.attribution.method import ALL_FAMILIES, Evidence, Method, Run
from engine.execution.cost import Cost
from engine.masking.fills.fill import Replacement
from engine.masking.fills.registry import FILLS
from engine.models.loaded import LoadedModel
from engine.models.specs import ImageSpec
from engine.parameters import Parameter, Value

_BASELINES = tuple(
    name for name, fill in FILLS.items() if isinstance(fill, Replacement) and not fill.seeded
)


class IntegratedGradients(Method):
    """(x − baseline) × the mean gradient on the straight way there, in units of the score.

    With a background, the mean of that over its rows as baselines.
    """

    name = "integrated-gradients"
    title = "Integrated Gradients"
    summary = "Shares the score out over the parts of the input, on the way from a baseline to it."
    families = ALL_FAMILIES
    parameters = (
        Parameter(
            "steps", "Steps", "int", 50, "Points on the way from the baseline.", low=2, high=1000
        ),
        Parameter(
            "baseline",
            "Baseline",
            "choice",
            "blur",
            "The picture that counts as holding no evidence.",
            choices=_BASELINES,
        ),
    )
    paper = "sundararajan2017axiomatic"
    needs_gradients = True
    caveat = "Answers against the baseline: what looks like the baseline gets no evidence."
    first_for = frozenset({"tabular"})
    takes_background = True

    def accepts_background(self, model: LoadedModel) -> bool:
        """Only for tables: of pictures, one baseline is enough to look at."""
        return model.family == "tabular"

    def parameters_for(self, model: LoadedModel) -> tuple[Parameter, ...]:
        """Only the mean serves as a baseline where the input is no picture."""
        if isinstance(model.spec, ImageSpec):
            return self.parameters
        steps, baseline = self.parameters
        told = "What counts as holding no evidence where there is no background."
        return steps, replace(baseline, default="mean", choices=("mean",), help=told)

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """For each baseline each step both ways, and all ends for the completeness check."""
        baselines = rows or 1
        points = int(parameters["steps"]) * baselines
        return Cost(points + baselines + 1, points)

    def attribute(self, run: Run) -> Evidence:
        """Return values of the shape of the prepared input; their sum is checked."""
        from captum.attr import IntegratedGradients as Captums

        steps = int(run.parameters["steps"])
        baselines = find_baselines(run, (str(run.parameters["baseline"]),))
        method = Captums(run.score)

        def summed(start: int, stop: int) -> torch.Tensor:
            some = baselines.rows[start:stop]
            x = run.x.expand_as(some)
            shares = method.attribute(x, some, n_steps=steps, internal_batch_size=run.chunks.size)
            return shares.detach().cpu().double().sum(dim=0)

        count = len(baselines.rows)
        values = torch.stack(run.chunks.over(count, run.passes, summed)).sum(dim=0) / count
        told = score_ends(run, baselines.rows).told(float(values.sum()))
        return Evidence(values, told={**told, "background": baselines.told})
