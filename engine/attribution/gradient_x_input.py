"""Gradient × input (shrikumar2016not)."""

from __future__ import annotations

from collections.abc import Mapping

from engine.attribution.method import ALL_FAMILIES, Evidence, Method, Run
from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from engine.parameters import Value


class GradientTimesInput(Method):
    """x × ∂ score / ∂ x, x being the prepared input; in units of the score."""

    name = "gradient-x-input"
    title = "Gradient × Input"
    summary = "The gradient, weighted by what is there."
    families = ALL_FAMILIES
    paper = "shrikumar2016not"
    needs_gradients = True
    caveat = "What is at the mean of the training data counts as nothing and gets no evidence."

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """One pass each way."""
        return Cost(1, 1)

    def attribute(self, run: Run) -> Evidence:
        """Return values of the shape of the prepared input."""
        from captum.attr import InputXGradient

        values = InputXGradient(run.score).attribute(run.leaf())
        return Evidence(values[0].detach())
