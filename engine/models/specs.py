"""What a network wants as input, and how a picture becomes exactly that tensor."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any, Literal, get_args

import numpy as np
import torch
from PIL import Image

from engine.errors import InputError, ModelError
from engine.inputs.images import ImageInput
from engine.models.table_specs import TableSpec

Interpolation = Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]
CropCorner = Literal["nearest", "down"]
_RESAMPLING = {name: Image.Resampling[name.upper()] for name in get_args(Interpolation)}

# Beyond this many pixels the whole picture is not resized before the crop is cut.
_RESIZE_LIMIT = 20_000_000

LARGEST_SIDE = 4096  # pixels; a pass on a larger picture fills any memory

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class TensorSpec:
    """An input that is a plain tensor of floats.

    Attributes:
        shape: of one sample, without the batch axis.
    """

    shape: tuple[int, ...]

    def describe(self) -> dict[str, Any]:
        """Return what the manifest tells of it."""
        return {"kind": "tensor", "shape": list(self.shape)}


@dataclass(frozen=True)
class ImageSpec:
    """A picture of a fixed size: resize the shorter side, cut the centre, normalise.

    Attributes:
        height, width: what the network sees, in pixels.
        channels: 1 (grey) or 3 (RGB); more only as tensors.
        mean, std: per channel, on values in [0, 1].
        resize: length of the shorter side before the crop; None: just as the crop; or height
            and width, both brought to these whatever the picture's proportions.
        interpolation: how Pillow resizes.
        crop_corner: how half a pixel at the crop's corner is rounded: to the nearest even
            number as torchvision does, or down as transformers does.
    """

    height: int = 224
    width: int = 224
    channels: int = 3
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    resize: int | tuple[int, int] | None = None
    interpolation: Interpolation = "bilinear"
    crop_corner: CropCorner = "nearest"

    def __post_init__(self) -> None:
        if isinstance(self.resize, list):
            object.__setattr__(self, "resize", tuple(self.resize))
        for name in ("mean", "std"):
            values = tuple(float(value) for value in getattr(self, name))
            if len(values) != self.channels:
                raise ModelError(
                    f"input_spec: {name} has {len(values)} values for {self.channels} channels"
                )
            object.__setattr__(self, name, values)
        if min(self.height, self.width, self.channels) < 1:
            raise ModelError("input_spec: height, width and channels must be at least 1")
        if max(self.height, self.width) > LARGEST_SIDE:
            raise ModelError(
                f"input_spec: height and width must be at most {LARGEST_SIDE}, not "
                f"{max(self.height, self.width)}"
            )
        if self.resize is not None and min(_both(self.resize)) < 1:
            raise ModelError("input_spec: resize must be at least 1")
        if not all(map(isfinite, (*self.mean, *self.std))):
            raise ModelError("input_spec: mean and std must be finite")
        if min(self.std) <= 0:
            raise ModelError("input_spec: every std must be above 0")
        if self.interpolation not in _RESAMPLING:
            raise ModelError(
                f"input_spec: interpolation {self.interpolation!r} is none of "
                f"{', '.join(_RESAMPLING)}"
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of one sample: ``(channels, height, width)``."""
        return self.channels, self.height, self.width

    def describe(self) -> dict[str, Any]:
        """Return what the manifest tells of it."""
        return {"kind": "image", **{k: _plain(v) for k, v in asdict(self).items()}}

    def seen_box(self, width: int, height: int) -> Box:
        """Return what part of a picture the centre crop keeps.

        Args:
            width, height: the picture's size in pixels.

        Returns:
            left, top, right, bottom in the picture's own pixels.
        """
        resized_w, resized_h = self._resized(width, height)
        left, top = self._corner(resized_w, resized_h)
        x, y = width / resized_w, height / resized_h
        return left * x, top * y, (left + self.width) * x, (top + self.height) * y

    def fitted(self, image: ImageInput) -> Image.Image:
        """Return the picture as the network sees it, before normalisation.

        Raises:
            InputError: the network wants other channels than a picture has.
        """
        if self.channels not in (1, 3):
            raise InputError(
                f"the model expects {self.channels} channels, the image has "
                f"{1 if image.pixels.ndim == 2 else 3}; give it a tensor"
            )
        picture = image.picture.convert("L" if self.channels == 1 else "RGB")
        return self._letterboxed(picture) if image.fit == "letterbox" else self._cropped(picture)

    def prepare(self, image: ImageInput) -> torch.Tensor:
        """Return the float32 tensor ``(1, channels, height, width)`` of a picture."""
        pixels = np.array(self.fitted(image), dtype=np.uint8)
        if pixels.ndim == 2:
            pixels = pixels[:, :, None]
        unit = torch.from_numpy(pixels).permute(2, 0, 1).contiguous().float().div(255)
        return self.normalise(unit)[None]

    def normalise(self, unit: torch.Tensor) -> torch.Tensor:
        """Bring values in [0, 1] of shape ``(…, channels, height, width)`` to the network's."""
        mean, std = self._per_channel(unit)
        return (unit - mean) / std

    def denormalise(self, tensor: torch.Tensor) -> torch.Tensor:
        """The way back from ``normalise``."""
        mean, std = self._per_channel(tensor)
        return tensor * std + mean

    def _per_channel(self, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        def column(values: tuple[float, ...]) -> torch.Tensor:
            return torch.tensor(values, dtype=like.dtype, device=like.device)[:, None, None]

        return column(self.mean), column(self.std)

    def _resized(self, width: int, height: int) -> tuple[int, int]:
        """Width and height after one side, or both, have been brought to ``resize``."""
        if isinstance(self.resize, tuple):
            return self.resize[1], self.resize[0]
        short = self.resize or max(self.height, self.width)
        if width <= height:
            return short, max(1, int(short * height / width))
        return max(1, int(short * width / height)), short

    def _corner(self, width: int, height: int) -> tuple[int, int]:
        """Left and top of the centre crop in a resized picture."""
        how = self.crop_corner
        return _centred(width, self.width, how), _centred(height, self.height, how)

    def _cropped(self, picture: Image.Image) -> Image.Image:
        resized_w, resized_h = self._resized(*picture.size)
        how = _RESAMPLING[self.interpolation]
        if resized_w * resized_h > _RESIZE_LIMIT:
            box = self.seen_box(*picture.size)
            left, top = max(box[0], 0), max(box[1], 0)
            right, bottom = min(box[2], picture.width), min(box[3], picture.height)
            inside = (left, top, right, bottom)
            return picture.resize((self.width, self.height), how, box=inside)
        left_cut, top_cut = self._corner(resized_w, resized_h)
        resized = picture.resize((resized_w, resized_h), how)
        return resized.crop((left_cut, top_cut, left_cut + self.width, top_cut + self.height))

    def _letterboxed(self, picture: Image.Image) -> Image.Image:
        scale = min(self.width / picture.width, self.height / picture.height)
        inner_w = max(1, round(picture.width * scale))
        inner_h = max(1, round(picture.height * scale))
        margin = tuple(round(255 * value) for value in self.mean)
        colour = margin[0] if self.channels == 1 else margin
        canvas = Image.new(picture.mode, (self.width, self.height), colour)
        inner = picture.resize((inner_w, inner_h), _RESAMPLING[self.interpolation])
        canvas.paste(inner, ((self.width - inner_w) // 2, (self.height - inner_h) // 2))
        return canvas


InputSpec = ImageSpec | TensorSpec | TableSpec


def _centred(length: int, cut: int, corner: CropCorner) -> int:
    if length < cut:  # padded; half a pixel more lies behind, of transformers before
        return -((cut - length) // 2) if corner == "nearest" else -((cut - length + 1) // 2)
    return round((length - cut) / 2) if corner == "nearest" else (length - cut) // 2


def _both(sides: int | tuple[int, int]) -> tuple[int, int]:
    return sides if isinstance(sides, tuple) else (sides, sides)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def as_spec(given: InputSpec | dict[str, Any] | tuple[int, ...]) -> InputSpec:
    """Turn what a caller passes as ``input_spec`` into one.

    Args:
        given: a spec; a dict of ``ImageSpec`` fields, or of what ``TableSpec.from_dict``
            takes; or one sample's shape.

    Raises:
        ModelError: an unknown field.
    """
    if isinstance(given, ImageSpec | TensorSpec | TableSpec):
        return given
    if isinstance(given, dict) and "columns" in given:
        return TableSpec.from_dict(given)
    if isinstance(given, dict):
        try:
            return ImageSpec(**given)
        except TypeError as error:
            raise ModelError(f"input_spec: {str(error).split(') ')[-1]}") from None
    try:
        shape = tuple(int(length) for length in given)
    except TypeError:
        raise ModelError(
            f"input_spec is an ImageSpec, a dict of its fields or a shape, not {given!r}"
        ) from None
    return TensorSpec(shape)
