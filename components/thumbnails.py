"""Small pictures for a gallery, framed by how they were answered."""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image, ImageDraw

from components.tokens import BAR_OTHER

Answer = Literal["right", "wrong", "unknown"]
_FRAMES: dict[Answer, str] = {"right": "#16A34A", "wrong": "#E8590C", "unknown": BAR_OTHER}
_WIDTH = 4


def thumbnail(picture: Image.Image, answer: Answer, side: int = 144) -> Image.Image:
    """Draw a square thumbnail; pictures smaller than it keep their pixels sharp."""
    rgb = picture.convert("RGB")
    how = Image.Resampling.NEAREST if max(rgb.size) < side else Image.Resampling.LANCZOS
    inner = side - 2 * _WIDTH
    small = rgb.resize((inner, inner), how)
    framed = Image.new("RGB", (side, side), _FRAMES[answer])
    framed.paste(small, (_WIDTH, _WIDTH))
    if answer == "wrong":  # told by more than its colour
        ImageDraw.Draw(framed).polygon([(0, 0), (22, 0), (0, 22)], fill=_FRAMES[answer])
    return framed


def example() -> Image.Image:
    """A grey square, answered wrong."""
    return thumbnail(Image.fromarray(np.full((64, 64, 3), 128, dtype=np.uint8)), "wrong")
