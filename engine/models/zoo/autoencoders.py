"""The auto-encoders trained for Haloscope, with their weights in ``assets/reconstruction``."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from pathlib import Path

from engine.models.cards import Card
from engine.models.weights import put_weights, read_weights
from engine.models.zoo.masked_autoencoder import MaskedAutoencoder

_SCENES = "reconstruction/scenes"


@cache
def scenes_autoencoder() -> MaskedAutoencoder:
    """Return the auto-encoder of scenes; it takes what ``SCENES_SPEC`` prepares."""
    module = MaskedAutoencoder()
    path = Path(str(files("assets").joinpath(f"{_SCENES}/weights.safetensors")))
    put_weights(module, read_weights(path), path.name)
    return module.eval().requires_grad_(False)


def scenes_autoencoder_card() -> Card:
    """Return what a person should know of it."""
    told = json.loads(files("assets").joinpath(f"{_SCENES}/card.json").read_text("utf-8"))
    return Card(**{**told, "facts": tuple(told["facts"].items())})
