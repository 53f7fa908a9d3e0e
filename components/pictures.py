"""Maps, overlays, frames and colour keys as pictures."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from components import views
from components.tokens import ACCENT, colours
from components.views import View

Box = tuple[float, float, float, float]

_GREYED = 0.55
_THIN = 8  # pixels; what is flatter is drawn thicker, to be seen at all


def _resized(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    picture = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(picture.resize(size, Image.Resampling.BILINEAR))


def heat(view: View, size: tuple[int, int]) -> Image.Image:
    """Draw a map alone; size is (width, height)."""
    return Image.fromarray(colours(view.unit(_resized(view.values, size)), view.stops))


def overlay(photo: Image.Image, view: View, opacity: float = 0.8) -> Image.Image:
    """Lay a map over a photograph that is greyed, so that colour means evidence alone.

    Args:
        photo: what the network saw, RGB or grey.
        view: the map; brought to the photograph's size.
        opacity: 0 (photograph alone) … 1.
    """
    values = _resized(view.values, photo.size)
    strength = np.abs(values) if view.kind == "signed" else np.clip(values, 0, None)
    alpha = np.clip(1.6 * strength / view.limit, 0, 1) ** 0.8 * opacity
    colour = colours(view.unit(values), view.stops).astype(np.float64)
    below = _greyed(photo, opacity)
    mixed = below + alpha[..., None] * (colour - below)
    return Image.fromarray(np.rint(mixed).astype(np.uint8))


def _greyed(photo: Image.Image, opacity: float) -> np.ndarray:
    rgb = np.asarray(photo.convert("RGB"), dtype=np.float64)
    grey = np.asarray(photo.convert("L"), dtype=np.float64)[..., None]
    return rgb + _GREYED * min(1.0, 1.25 * opacity) * (grey - rgb)


def outlined(picture: Image.Image, mask: np.ndarray) -> Image.Image:
    """Draw the outline of a mask (bool, of any size) over a picture: white within black."""
    grey = Image.fromarray(np.where(mask, 255, 0).astype(np.uint8))
    large = np.asarray(grey.resize(picture.size, Image.Resampling.BILINEAR)) >= 128
    unit = max(1, round(min(picture.size) / 280))
    drawn = np.array(picture.convert("RGB"))
    drawn[_edge(large, 2 * unit)] = 17, 19, 24
    drawn[_edge(large, unit)] = 255
    return Image.fromarray(drawn)


def _edge(mask: np.ndarray, width: int) -> np.ndarray:
    """Pixels within ``width`` of where a mask begins or ends."""
    edge = np.zeros_like(mask)
    for axis in (0, 1):
        for step in range(-width, width + 1):
            edge |= mask != np.roll(mask, step, axis=axis)
    border = np.ones_like(mask)
    border[width:-width, width:-width] = False
    return edge & ~border


def framed(picture: Image.Image, box: Box, height: int = 96) -> Image.Image:
    """Draw the part that the network sees onto the whole picture, small.

    Args:
        picture: the whole picture.
        box: left, top, right, bottom in its pixels.
        height: of the drawing; very wide pictures become lower.
    """
    scale = min(height / picture.height, 4 * height / picture.width)
    size = (max(_THIN, round(picture.width * scale)), max(_THIN, round(picture.height * scale)))
    small = picture.convert("RGB").resize(size, Image.Resampling.BILINEAR)
    x, y = size[0] / picture.width, size[1] / picture.height
    left, top, right, bottom = (round(e * s) for e, s in zip(box, (x, y, x, y), strict=True))
    inside = (max(0, left), max(0, top), min(size[0], right), min(size[1], bottom))
    dim = Image.blend(small, Image.new("RGB", size, "#808080"), 0.6)
    if inside[2] > inside[0] and inside[3] > inside[1]:
        dim.paste(small.crop(inside), inside[:2])
    frame = (inside[0], inside[1], max(inside[0], inside[2] - 1), max(inside[1], inside[3] - 1))
    ImageDraw.Draw(dim).rectangle(frame, outline=ACCENT, width=2)
    return dim


def colour_key(view: View, size: tuple[int, int] = (160, 8)) -> Image.Image:
    """Draw the scale of a view from left to right, with round ends."""
    width, height = size
    line = colours(np.linspace(0, 1, width), view.stops)
    bar = Image.fromarray(np.repeat(line[None], height, axis=0)).convert("RGBA")
    mask = Image.new("L", (width * 4, height * 4))
    ImageDraw.Draw(mask).rounded_rectangle(
        (0, 0, width * 4 - 1, height * 4 - 1), radius=height * 2, fill=255
    )
    bar.putalpha(mask.resize(size, Image.Resampling.LANCZOS))
    return bar


def example() -> Image.Image:
    """A made-up map over a plain picture."""
    return overlay(Image.new("RGB", (96, 96), "#7799AA"), views.example())
