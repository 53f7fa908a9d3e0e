"""Grad-CAM (selvaraju2017grad)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from engine.attribution.method import PICTURE_FAMILIES, Evidence, Method, Run
from engine.errors import MethodError
from engine.execution.cost import Cost
from engine.models.discovery import Layer
from engine.models.loaded import LoadedModel
from engine.parameters import Parameter, Value


class GradCam(Method):
    """A layer's maps, each weighted by the mean gradient of the score, added up.

    Signed: the ReLU of the paper is the view "positive". Of a layer that runs several times
    in one pass, the sum over its runs (our definition).
    """

    name = "grad-cam"
    title = "Grad-CAM"
    summary = "Where in the picture the last maps of the network speak for the class."
    families = PICTURE_FAMILIES
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
        """Also refuses networks without a layer that has maps after all attention."""
        reason = super().refusal(model)
        if reason is None and model.target_layer is None:
            after = " after its attention" if model.layers else ""
            return f"{self.title} needs a layer with maps{after}; {model.card.title} has none"
        return reason

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """One pass each way."""
        return Cost(1, 1)

    def attribute(self, run: Run) -> Evidence:
        """Return values of the layer's grid, ``(rows, columns)``.

        Raises:
            MethodError: the layer runs several times, with maps of different sizes.
        """
        name = str(run.parameters["layer"])
        layer = next(one for one in run.model.layers if one.name == name)
        # Weights are frozen and the input asks for nothing: no graph is made before the layer.
        with _tapped(run.model.module.get_submodule(name)) as maps:
            score = run.score(run.x)
        if not maps:
            raise MethodError(f"layer {name!r} did not run; choose another")
        if not score.requires_grad:
            raise MethodError(
                f"no gradient leads from the score to layer {name!r}; choose a later one"
            )
        slopes = _slopes(score, maps)
        shapes = {tuple(one.shape) for one in maps}
        if len(shapes) > 1:
            raise MethodError(f"layer {name!r} runs with maps of different sizes; choose another")
        pairs = zip(maps, slopes, strict=True)
        values = torch.stack([_weighted(layer, one, slope) for one, slope in pairs]).sum(dim=0)
        return Evidence(values, told={"runs_of_the_layer": len(maps)} if len(maps) > 1 else {})


@contextmanager
def _tapped(part: nn.Module) -> Iterator[list[torch.Tensor]]:
    """Collect what a layer puts out at each of its runs, as the start of a graph.

    What comes after works on a copy, which it may overwrite.
    """
    maps: list[torch.Tensor] = []

    def tap(_part: nn.Module, _args: Any, output: torch.Tensor) -> torch.Tensor:
        torch.set_grad_enabled(True)
        found = output if output.requires_grad else output.detach().requires_grad_()
        maps.append(found)
        return found.clone()

    handle = part.register_forward_hook(tap)
    try:
        yield maps
    finally:
        handle.remove()


def _slopes(score: torch.Tensor, maps: list[torch.Tensor]) -> list[torch.Tensor]:
    """Return the score's gradient at each run of the layer; zeros where it does not matter."""
    found = torch.autograd.grad(score.sum(), maps, allow_unused=True)
    return [
        torch.zeros_like(one) if slope is None else slope
        for one, slope in zip(maps, found, strict=True)
    ]


def _weighted(layer: Layer, maps: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
    """Weight maps ``(1, …)`` by their mean gradients, add them up: ``(rows, columns)``."""
    places, channels = ((1, 2), 3) if layer.channels_last else ((2, 3), 1)
    weights = slope.mean(dim=places, keepdim=True)  # (1, channels, 1, 1), or with channels last
    return (weights * maps.detach()).sum(dim=channels)[0]
