"""The networks trained for Haloscope, with the weights in ``assets/models``."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from torch import nn

from engine.models.specs import ImageSpec
from engine.models.weights import put_weights, read_weights
from engine.models.zoo.digits_cnn import DigitsCNN
from engine.models.zoo.scenes_resnet import ScenesResNet
from engine.models.zoo.small_vit import DIGITS, SCENES, SmallViT
from engine.models.zoo.tiny_vgg import TinyVGG

SCENE_CLASSES = (
    "circle", "triangle", "square", "star", "ring", "cross", "heart", "crescent", "arrow", "leaf",
)  # fmt: skip
SCENES_SPEC = ImageSpec(height=64, width=64, mean=(0.5,) * 3, std=(0.25,) * 3)
DIGIT_CLASSES = tuple("0123456789")
DIGITS_SPEC = ImageSpec(height=28, width=28, channels=1, mean=(0.1307,), std=(0.3081,))

Built = tuple[nn.Module, ImageSpec, tuple[str, ...]]


def scenes_resnet() -> Built:
    """Return network, input spec and class names."""
    return _scenes("scenes-resnet", ScenesResNet())


def scenes_robust() -> Built:
    """Return network, input spec and class names."""
    return _scenes("scenes-robust", ScenesResNet())


def scenes_masked() -> Built:
    """Return network, input spec and class names."""
    return _scenes("scenes-masked", ScenesResNet())


def scenes_shortcut() -> Built:
    """Return network, input spec and class names."""
    return _scenes("scenes-shortcut", ScenesResNet())


def scenes_vgg() -> Built:
    """Return network, input spec and class names."""
    return _scenes("scenes-vgg", TinyVGG())


def scenes_vit() -> Built:
    """Return network, input spec and class names."""
    return _scenes("scenes-vit", SmallViT(SCENES))


def digits_cnn() -> Built:
    """Return network, input spec and class names."""
    return _with_weights("digits-cnn", DigitsCNN()), DIGITS_SPEC, DIGIT_CLASSES


def digits_vit() -> Built:
    """Return network, input spec and class names."""
    return _with_weights("digits-vit", SmallViT(DIGITS)), DIGITS_SPEC, DIGIT_CLASSES


def _scenes(name: str, module: nn.Module) -> Built:
    return _with_weights(name, module), SCENES_SPEC, SCENE_CLASSES


def _with_weights(name: str, module: nn.Module) -> nn.Module:
    path = Path(str(files("assets").joinpath(f"models/{name}/weights.safetensors")))
    put_weights(module, read_weights(path), path.name)
    return module
