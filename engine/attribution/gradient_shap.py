"""Gradient SHAP: expected gradients (erion2021improving, after lundberg2017unified)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch

from engine.attribution.baselines import find_baselines, score_ends
from engine.attribution.method import ALL_FAMILIES, Evidence, Method, Run
from engine.attribution.sampling import Moments, sampled
from engine.execution.cost import Cost
from engine.execution.draws import generator
from engine.models.loaded import LoadedModel
from engine.models.specs import ImageSpec
from engine.parameters import Parameter, Value

_PICTURE_FILLS = ("blur", "mean", "black", "white")


class GradientShap(Method):
    """Mean of (x − b) × gradient at b + α (x − b); in units of the score.

    For each sample a baseline b is drawn from the background and α uniformly from [0, 1].
    Without a background, the baselines are the picture blurred and three plain ones (our
    definition): mean colour, black and white; for what is no picture, the mean alone.
    """

    name = "gradient-shap"
    title = "Gradient SHAP"
    summary = "Shares the score out over the parts of the input, on the ways from many baselines."
    families = ALL_FAMILIES
    parameters = (
        Parameter(
            "samples", "Samples", "int", 100, "Points drawn on the ways.", low=2, high=10_000
        ),
    )
    paper = "erion2021improving"
    needs_gradients = True
    caveat = "Answers against the background: what all of it shares gets no evidence."
    takes_background = True

    def parameters_for(self, model: LoadedModel) -> tuple[Parameter, ...]:
        """More points for tables: their rows are small."""
        (samples,) = self.parameters
        return (replace(samples, default=2000),) if model.family == "tabular" else self.parameters

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """One pass each way for each point, and one of each end to check completeness."""
        samples = int(parameters["samples"])
        return Cost(samples + 1 + (rows or len(_fills(model))), samples)

    def attribute(self, run: Run) -> Evidence:
        """Return values of the shape of the prepared input, or per column; the sum is checked."""
        baselines = find_baselines(run, _fills(run.model))
        moments, sums = Moments(), Moments()

        def work(start: int, stop: int) -> None:
            points, ways = _points(run, baselines.rows, start, stop)
            shares = run.folded((ways * run.gradients(points)).detach().cpu().double())
            moments.add(shares)
            sums.add(shares.flatten(1).sum(dim=1))

        def so_far() -> Evidence:
            return Evidence(moments.mean, moments.error, {"background": baselines.told})

        found = sampled(run, int(run.parameters["samples"]), work, so_far)
        told = score_ends(run, baselines.rows).told(float(sums.mean), float(sums.error))
        return Evidence(found.values, found.error, {**found.told, **told})


def _fills(model: LoadedModel) -> tuple[str, ...]:
    """Return what serves as baselines where there is no background."""
    return _PICTURE_FILLS if isinstance(model.spec, ImageSpec) else ("mean",)


def _points(
    run: Run, baselines: torch.Tensor, start: int, stop: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the points of the samples ``[start, stop)`` and the ways they lie on, x − b."""
    draws = [generator(run.seed, index) for index in range(start, stop)]
    rows = [int(draw.integers(len(baselines))) for draw in draws]
    along = torch.tensor([draw.random() for draw in draws]).to(run.x)  # (n,)
    chosen = baselines[rows]  # (n, …)
    ways = run.x - chosen
    return chosen + along.reshape(-1, *[1] * (ways.ndim - 1)) * ways, ways
