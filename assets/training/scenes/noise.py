"""Smooth random fields and colours."""

from __future__ import annotations

import colorsys

import numpy as np
from PIL import Image

Draw = np.random.Generator


def smooth(draw: Draw, side: int, cells: float) -> np.ndarray:
    """Return a smooth field ``(side, side)`` in [0, 1] with about ``cells`` bumps a side."""
    count = max(2, round(cells) + 1)
    coarse = Image.fromarray(draw.random((count, count), dtype=np.float32))
    return np.clip(np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC)), 0, 1)


def cloudy(draw: Draw, side: int, cells: float = 3, octaves: int = 4) -> np.ndarray:
    """Return a field with detail at every scale, stretched to [0, 1]."""
    total = sum(smooth(draw, side, cells * 2**i) * 0.55**i for i in range(octaves))
    low, high = total.min(), total.max()
    return (total - low) / (high - low)


def colour(draw: Draw, saturation: tuple[float, float], value: tuple[float, float]) -> np.ndarray:
    """Return an RGB colour in [0, 1] of any hue."""
    hue = draw.random()
    return np.array(colorsys.hsv_to_rgb(hue, draw.uniform(*saturation), draw.uniform(*value)))


def ramp(field: np.ndarray, *stops: np.ndarray) -> np.ndarray:
    """Colour a field in [0, 1] by stops at equal distances; ``(…, 3)``."""
    at = np.linspace(0, 1, len(stops))
    return np.stack(
        [np.interp(field, at, [stop[channel] for stop in stops]) for channel in range(3)], axis=-1
    )


def blend(below: np.ndarray, above: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Lay one picture over another; alpha ``(side, side)`` in [0, 1]."""
    return below + alpha[..., None] * (above - below)
