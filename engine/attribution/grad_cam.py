"""Grad-CAM (selvaraju2017grad)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.attribution.method import Evidence, Method, Run
from engine.attribution.parameters import Parameter, Value
from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel


class GradCam(Method):
    """A layer's maps, each weighted by the mean gradient of the score, added up.

    Signed: the ReLU of the paper is the view "positive".
    """

    name = "grad-cam"
    title = "Grad-CAM"
    summary = "Where in the picture the last maps of the network speak for the class."
    families = frozenset({"cnn"})
    parameters = (
        Parameter(
            "layer", "Layer", "choice", "", "The layer whose maps are read; later is coarser."
        ),
    )
    paper = "selvaraju2017grad"
    caveat = "As coarse as the layer's grid, and blind to what earlier layers threw away."
    hooks = True
    first_for = frozenset({"cnn"})

    def parameters_for(self, model: LoadedModel) -> tuple[Parameter, ...]:
        """Offer the model's own layers, the target layer first chosen."""
        names = tuple(layer.name for layer in model.layers if layer.usable)
        target = model.target_layer
        default = target.name if target else ""
        return (replace(self.parameters[0], default=default, choices=names),)

    def refusal(self, model: LoadedModel) -> str | None:
        """Also refuses networks without a layer that has maps."""
        reason = super().refusal(model)
        if reason is None and model.target_layer is None:
            return f"{self.title} needs a layer with maps; {model.card.title} has none"
        return reason

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """One pass each way."""
        return Cost(1, 1)

    def attribute(self, run: Run) -> Evidence:
        """Return values of the layer's grid, ``(rows, columns)``."""
        from captum.attr import LayerGradCam

        layer = run.model.module.get_submodule(str(run.parameters["layer"]))
        values = LayerGradCam(run.score, layer).attribute(run.leaf())  # (1, 1, rows, columns)
        return Evidence(values[0, 0].detach())
