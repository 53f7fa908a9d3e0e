"""Pictures of all shapes and kinds."""

from __future__ import annotations

import numpy as np
from PIL import Image


def picture(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Noise with slopes, so that a pixel's shift shows; of RGBA, half transparent in places."""
    channels = len(Image.new(mode, (1, 1)).getbands())
    draw = np.random.default_rng(width * 1000 + height)
    slope = np.linspace(0, 127, width)[None, :, None] + np.linspace(0, 63, height)[:, None, None]
    pixels = (slope + draw.integers(0, 65, (height, width, channels))).astype(np.uint8)
    return Image.fromarray(pixels.squeeze(), mode=None)


# name → picture; the smallest is smaller than any crop, and sides of all parities are there.
PICTURES = {
    "landscape": picture(113, 64),
    "portrait": picture(75, 100),
    "small": picture(19, 22),
    "odd": picture(87, 85),
    "large": picture(351, 270),
    "grey": picture(90, 71, "L"),
    "transparent": picture(70, 95, "RGBA"),
}


def opaque(given: Image.Image) -> Image.Image:
    """RGB, with white behind what is transparent."""
    layer = given.convert("RGBA")
    white = Image.new("RGBA", layer.size, "white")
    return Image.alpha_composite(white, layer).convert("RGB")
