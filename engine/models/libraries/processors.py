"""What an image processor of transformers does, as an ``ImageSpec``.

Its Pillow kind is followed to the bit. The same processor on torchvision's tensors rounds
otherwise while it resizes: values differ by up to 1/255 there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.models.specs import ImageSpec, InputSpec, Interpolation, TensorSpec

_RESAMPLING: tuple[Interpolation, ...] = (
    "nearest",
    "lanczos",
    "bilinear",
    "bicubic",
    "box",
    "hamming",
)  # Pillow's numbers
_CONVNEXT_SQUASHES_FROM = 384


def spec_of(processor: Any, config: Any) -> tuple[InputSpec | None, str]:
    """Return the spec of a processor.

    Args:
        processor: of transformers' Pillow kind; None where a model has none.
        config: the model's.

    Returns:
        The spec, and a note on what had to be assumed, or "".
    """
    channels = int(getattr(config, "num_channels", 3))
    if channels not in (1, 3):
        side = _side(getattr(config, "image_size", None)) or (224, 224)
        return TensorSpec((channels, *side)), ""
    if processor is None:
        return _without(config, channels)
    height, width, resize = _sizes(processor, config)
    mean, std = _normalisation(processor, channels)
    resample = getattr(processor, "resample", None)
    return ImageSpec(
        height,
        width,
        channels,
        mean,
        std,
        resize,
        "bilinear" if resample is None else _RESAMPLING[int(resample)],
        "down",
    ), ""


def _without(config: Any, channels: int) -> tuple[InputSpec | None, str]:
    side = _side(getattr(config, "image_size", None))
    if side is None:
        return None, ""
    mean, std = (0.5,) * channels, (0.5,) * channels
    note = (
        f"assumed: {side[0]} × {side[1]} pictures with values in [−1, 1]; the model has no "
        "preprocessor_config.json that can be read"
    )
    return ImageSpec(*side, channels, mean, std, resize=side, crop_corner="down"), note


Resize = int | tuple[int, int] | None


def _sizes(processor: Any, config: Any) -> tuple[int, int, Resize]:
    """Return height, width and ``resize`` of an ``ImageSpec``."""
    size = dict(processor.size or {})
    own = _side(getattr(config, "image_size", None)) or (224, 224)
    if "crop_pct" in vars(processor) or hasattr(type(processor), "crop_pct"):
        return _cropped_by_share(size, getattr(processor, "crop_pct", None))
    if not processor.do_resize:
        resize: Resize = None
    elif size.get("shortest_edge"):
        resize = int(size["shortest_edge"])
    else:
        resize = _side(size)
    if getattr(processor, "do_center_crop", False):
        height, width = _side(dict(processor.crop_size)) or own
        return height, width, resize
    if isinstance(resize, tuple):
        return *resize, resize
    side = (resize, resize) if resize else own
    return *side, resize


def _cropped_by_share(size: dict[str, Any], share: float | None) -> tuple[int, int, Resize]:
    """ConvNeXt's way: below 384 pixels resize to more and cut, else squash."""
    side = int(size["shortest_edge"])
    if side >= _CONVNEXT_SQUASHES_FROM:
        return side, side, (side, side)
    return side, side, int(side / (224 / 256 if share is None else share))


def _side(size: Any) -> tuple[int, int] | None:
    if size is None:
        return None
    if isinstance(size, dict):
        if size.get("height"):
            return int(size["height"]), int(size["width"])
        return (int(size["shortest_edge"]),) * 2 if size.get("shortest_edge") else None
    if isinstance(size, Sequence):
        return int(size[0]), int(size[-1])
    return int(size), int(size)


def _normalisation(processor: Any, channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and std on values in [0, 1] that do what rescaling and normalising do."""
    factor = float(processor.rescale_factor) * 255 if processor.do_rescale else 255.0
    offset = 1.0 if processor.do_rescale and getattr(processor, "rescale_offset", False) else 0.0
    zeros, ones = (0.0,) * channels, (1.0,) * channels
    mean = _each(processor.image_mean, channels) if processor.do_normalize else zeros
    std = _each(processor.image_std, channels) if processor.do_normalize else ones
    if getattr(processor, "include_top", False):  # EfficientNet's: divided by std once more
        again = _each(processor.image_std, channels)
        std = tuple(value * more for value, more in zip(std, again, strict=True))
    return (
        tuple((value + offset) / factor for value in mean),
        tuple(value / factor for value in std),
    )


def _each(values: Any, channels: int) -> tuple[float, ...]:
    given = tuple(float(v) for v in values) if isinstance(values, Sequence) else (float(values),)
    return given if len(given) == channels else given[:1] * channels
