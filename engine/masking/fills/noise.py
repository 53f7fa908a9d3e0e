"""Noise in place of what is hidden."""

from __future__ import annotations

import torch

from engine.execution.draws import generator
from engine.masking.fills.fill import Fill, Replacement
from engine.masking.fills.suiting import needs_pictures, takes_maps
from engine.models.loaded import LoadedModel
from engine.models.specs import ImageSpec


class Noise(Replacement):
    """Colours drawn for each pixel and channel, the same under every mask.

    Pictures: uniformly from black to white. Other tensors: normally, with spread 1.

    Args:
        seed: of the draw.
    """

    name = "noise"
    title = "Noise"
    summary = "A colour of its own for each pixel, drawn once for all masks."
    seeded = True

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def drawn_from(self, seed: int) -> Fill:
        """Noise of another seed."""
        return Noise(seed)

    def refusal(self, model: LoadedModel) -> str:
        """What is no picture."""
        return "" if takes_maps(model) else needs_pictures(self.name)

    def values(self, model: LoadedModel, x: torch.Tensor) -> torch.Tensor:
        """Noise of the shape of x."""
        self.check_suits(model)
        draw = generator(self.seed, 0)
        shape = tuple(x.shape)
        if isinstance(model.spec, ImageSpec):
            colours = torch.from_numpy(draw.random(shape, "float32"))
            return model.spec.normalise(colours).to(x)
        return torch.from_numpy(draw.standard_normal(shape, "float32")).to(x)
