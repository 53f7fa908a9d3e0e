"""What a model says of one input."""

from __future__ import annotations

import time

import torch

from engine.execution.passes import Passes
from engine.models.loaded import LoadedModel, ModelInput
from engine.models.outputs import probabilities_of
from engine.results import Prediction


def predict(model: LoadedModel, given: ModelInput) -> Prediction:
    """Run one forward pass.

    Args:
        model: a loaded model.
        given: an image, anything ``load_image`` takes, or a prepared tensor.

    Raises:
        InputError: the input cannot be read, or does not suit the model.
        ModelError: the network returns NaN or infinity.
    """
    return predict_prepared(Passes(model), model.prepare(given))


def predict_prepared(passes: Passes, x: torch.Tensor) -> Prediction:
    """The same for a prepared tensor ``(1, …)``, counted by ``passes``."""
    started = time.perf_counter()
    with torch.inference_mode():
        logits = passes.forward(x)
        probabilities = probabilities_of(logits, passes.model.activation)
    return Prediction(
        logits=logits[0].float().cpu().numpy(),
        probabilities=probabilities[0].float().cpu().numpy(),
        classes=passes.model.classes,
        seconds=time.perf_counter() - started,
    )
