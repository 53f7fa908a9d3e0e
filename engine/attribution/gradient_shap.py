"""Gradient SHAP: expected gradients (erion2021improving, after lundberg2017unified)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from engine.attribution.method import ALL_FAMILIES, Evidence, Method, Run
from engine.attribution.parameters import Parameter, Value
from engine.attribution.sampling import Moments, generator, sampled
from engine.execution.cost import Cost
from engine.masking.fills import find_replacement
from engine.models.loaded import LoadedModel
from engine.models.specs import ImageSpec

_PICTURE_FILLS = ("blur", "mean", "black", "white")


class GradientShap(Method):
    """Mean of (x − b) × gradient at b + α (x − b); in units of the score.

    For each sample a baseline b is drawn from the background and α uniformly from [0, 1].
    Without a background, the baselines are the picture blurred and three plain ones (our
    definition): mean colour, black and white; for what is no picture, the mean alone.
    """

    name = "gradient-shap"
    title = "Gradient SHAP"
    summary = "Shares the score out over the pixels, on the ways from many baselines."
    families = ALL_FAMILIES
    parameters = (
        Parameter(
            "samples", "Samples", "int", 100, "Points drawn on the ways.", low=2, high=10_000
        ),
    )
    paper = "erion2021improving"
    needs_gradients = True
    caveat = "Answers against the background: what all its pictures share gets no evidence."
    takes_background = True

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value]) -> Cost:
        """One pass each way for each point, and one of the input to check completeness."""
        samples = int(parameters["samples"])
        return Cost(samples + 1, samples)

    def background_cost(self, rows: int) -> Cost:
        """One pass for each baseline, to check completeness."""
        return Cost(forward=rows or len(_PICTURE_FILLS))

    def attribute(self, run: Run) -> Evidence:
        """Return values of the shape of the prepared input; their sum is checked."""
        baselines, told = _baselines(run)
        moments, sums = Moments(), Moments()

        def work(start: int, stop: int) -> None:
            points, ways = _points(run, baselines, start, stop)
            shares = (ways * run.gradients(points)).detach().cpu().double()
            moments.add(shares)
            sums.add(shares.flatten(1).sum(dim=1))

        def so_far() -> Evidence:
            return Evidence(moments.mean, moments.error, {"background": told})

        found = sampled(run, int(run.parameters["samples"]), work, so_far)
        checked = _completeness(run, baselines, sums)
        return Evidence(found.values, found.error, {**found.told, "completeness": checked})


def _baselines(run: Run) -> tuple[torch.Tensor, dict[str, Any]]:
    """Return the baselines ``(rows, …)`` and what to tell of them."""
    if run.background is not None:
        rows = run.background.to(run.x)
        return rows, {"rows": len(rows), "of": run.background_size, "fills": []}
    names = _PICTURE_FILLS if isinstance(run.model.spec, ImageSpec) else ("mean",)
    rows = torch.cat([find_replacement(name).values(run.model, run.x) for name in names])
    return rows, {"rows": len(rows), "of": len(rows), "fills": list(names)}


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


def _completeness(run: Run, baselines: torch.Tensor, sums: Moments) -> dict[str, float]:
    """Hold the sum of the values against score(x) − mean score(baselines).

    Returns:
        sum: of all values; error: its standard error; difference: what it estimates; gap:
        sum − difference. All in units of the score.
    """

    def scores(start: int, stop: int) -> torch.Tensor:
        return run.score(ends[start:stop]).double().cpu()

    ends = torch.cat([run.x, baselines])
    with torch.no_grad():
        found = torch.cat(run.chunks.over(len(ends), run.passes, scores))
    total, difference = float(sums.mean), float(found[0] - found[1:].mean())
    return {
        "sum": total,
        "error": float(sums.error),
        "difference": difference,
        "gap": total - difference,
    }
