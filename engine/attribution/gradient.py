"""Gradient saliency (simonyan2014deep)."""

from __future__ import annotations

from collections.abc import Mapping

from engine.attribution.method import ALL_FAMILIES, Evidence, Method, Run
from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from engine.parameters import Value


class Gradient(Method):
    """∂ score / ∂ input, signed, in units of the score per unit of the prepared input."""

    name = "gradient"
    title = "Gradient"
    summary = "How the score would move if each part of the input moved a little."
    families = ALL_FAMILIES
    paper = "simonyan2014deep"
    needs_gradients = True
    caveat = (
        "Tells what the score is sensitive to, not what it rests on; noisy on networks with "
        "many layers."
    )
    view = "magnitude"

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """One pass each way."""
        return Cost(1, 1)

    def attribute(self, run: Run) -> Evidence:
        """Return values of the shape of the prepared input."""
        from captum.attr import Saliency

        values = Saliency(run.score).attribute(run.leaf(), abs=False)
        return Evidence(values[0])
