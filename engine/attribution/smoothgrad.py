"""SmoothGrad (smilkov2017smoothgrad)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from engine.attribution.method import ALL_FAMILIES, Evidence, Method, Run
from engine.attribution.sampling import Moments, sampled
from engine.execution.cost import Cost
from engine.execution.draws import generator
from engine.models.loaded import LoadedModel
from engine.parameters import Parameter, Value


class SmoothGrad(Method):
    """Mean ∂ score / ∂ input over noisy copies; signed, per unit of the prepared input.

    The noise is Gaussian; its σ is a share of max(x) − min(x) of the prepared input.
    """

    name = "smoothgrad"
    title = "SmoothGrad"
    summary = "The gradient, averaged over copies of the input with noise added."
    families = ALL_FAMILIES
    parameters = (
        Parameter("samples", "Samples", "int", 50, "Number of noisy copies.", low=2, high=10_000),
        Parameter(
            "noise",
            "Noise",
            "float",
            0.15,
            "Standard deviation of the noise, as a share of the input's range of values.",
            low=0,
            high=2,
        ),
    )
    paper = "smilkov2017smoothgrad"
    needs_gradients = True
    caveat = "Smoother to look at than the gradient, but an answer about noisy inputs."
    view = "magnitude"

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """One pass each way for each copy."""
        samples = int(parameters["samples"])
        return Cost(samples, samples)

    def attribute(self, run: Run) -> Evidence:
        """Return values of the shape of the prepared input, or per column."""
        sigma = float(run.parameters["noise"]) * float(run.x.max() - run.x.min())
        moments = Moments()

        def work(start: int, stop: int) -> None:
            noise = _noise(run, start, stop)
            moments.add(run.folded(run.gradients(run.x + sigma * noise).cpu()))

        return sampled(
            run,
            int(run.parameters["samples"]),
            work,
            lambda: Evidence(moments.mean, moments.error),
        )


def _noise(run: Run, start: int, stop: int) -> torch.Tensor:
    """Return standard normal noise of the samples ``[start, stop)``, ``(stop - start, …)``."""
    shape = tuple(run.x.shape[1:])
    drawn = [
        generator(run.seed, index).standard_normal(shape, np.float32)
        for index in range(start, stop)
    ]
    return torch.from_numpy(np.stack(drawn)).to(run.x)
