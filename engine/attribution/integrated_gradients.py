"""Integrated gradients (sundararajan2017axiomatic)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch

from engine.attribution.method import ALL_FAMILIES, Evidence, Method, Run
from engine.attribution.parameters import Parameter, Value
from engine.execution.cost import Cost
from engine.masking.fills import FILLS, Replacement, find_replacement
from engine.models.loaded import LoadedModel
from engine.models.specs import ImageSpec

_BASELINES = tuple(name for name, fill in FILLS.items() if isinstance(fill, Replacement))


class IntegratedGradients(Method):
    """(x − baseline) × the mean gradient on the straight way there, in units of the score."""

    name = "integrated-gradients"
    title = "Integrated Gradients"
    summary = "Shares the score out over the pixels, on the way from a baseline to the picture."
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

    def parameters_for(self, model: LoadedModel) -> tuple[Parameter, ...]:
        """Only the mean serves as a baseline where the input is no picture."""
        if isinstance(model.spec, ImageSpec):
            return self.parameters
        steps, baseline = self.parameters
        return steps, replace(baseline, default="mean", choices=("mean",))

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value]) -> Cost:
        """Each step both ways, and the two ends for the completeness check."""
        steps = int(parameters["steps"])
        return Cost(steps + 2, steps)

    def attribute(self, run: Run) -> Evidence:
        """Return values of the shape of the prepared input; their sum is checked."""
        from captum.attr import IntegratedGradients as Captums

        steps = int(run.parameters["steps"])
        baseline = find_replacement(str(run.parameters["baseline"])).values(run.model, run.x)
        method = Captums(run.score)

        def with_chunk(size: int) -> torch.Tensor:
            return method.attribute(run.x, baseline, n_steps=steps, internal_batch_size=size)

        values = run.chunks.whole(run.passes, with_chunk)[0].detach()
        return Evidence(values, told={"completeness": completeness(run, baseline, values)})


def completeness(run: Run, baseline: torch.Tensor, values: torch.Tensor) -> dict[str, float]:
    """Hold the sum of the values against what they share out.

    Returns:
        sum: of all values; difference: score(x) − score(baseline); gap: sum − difference.
        All in units of the score.
    """
    with torch.no_grad():
        at_x, at_baseline = (float(run.score(end)) for end in (run.x, baseline))
    total = float(values.double().sum())
    difference = at_x - at_baseline
    return {"sum": total, "difference": difference, "gap": total - difference}
