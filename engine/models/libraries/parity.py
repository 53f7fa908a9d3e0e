"""Whether pictures are prepared here as a library itself prepares them: tried, not assumed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from PIL import Image

from engine.inputs.images import load_image
from engine.models.specs import ImageSpec

# A library that resizes tensors instead of pictures rounds otherwise: by less than two levels.
_LEVELS = 2.0
_SIDES = ((197, 120), (90, 151))


def told_difference(spec: ImageSpec, library: str, theirs: Callable[[Any], torch.Tensor]) -> str:
    """Prepare two pictures both ways; return a note if they come out different, or "".

    Args:
        spec: what is done here.
        library: its name.
        theirs: what the library does: a Pillow picture (RGB) → ``(channels, height, width)``.
    """
    scale = 255 * torch.tensor(spec.std)[:, None, None]
    for picture in _pictures():
        try:
            wanted = theirs(picture)
        except Exception:  # a library that cannot prepare a picture has nothing to compare with
            return ""
        found = spec.prepare(load_image(picture))[0]
        if wanted.shape != found.shape:
            shape = " × ".join(map(str, wanted.shape))
            return f"{library} itself prepares pictures otherwise: as {shape}; check the size"
        if float(((wanted - found) * scale).abs().max()) > _LEVELS:
            return (
                f"{library} itself prepares pictures otherwise, in a way that cannot be taken "
                "over; correct what matters, or hand over prepared tensors"
            )
    return ""


@cache
def _pictures() -> tuple[Image.Image, ...]:
    """A landscape and a portrait with an edge, a slope and a grain."""
    return tuple(_drawn(*side) for side in _SIDES)


def _drawn(width: int, height: int) -> Image.Image:
    across, down = np.linspace(0, 1, width)[None], np.linspace(0, 1, height)[:, None]
    grain = np.random.default_rng(0).random((height, width)) / 8
    channels = (across + 0 * down, 0 * across + down, (across > down) * 1.0)
    pixels = np.stack([(channel * 0.8 + grain) * 255 for channel in channels], axis=-1)
    return Image.fromarray(pixels.astype(np.uint8))
