"""What an object or a distractor is made of: colour, texture, light, outline."""

from __future__ import annotations

import numpy as np

from assets.training.scenes.noise import Draw, cloudy, colour, ramp

_OUTLINES = (None, None, np.array([0.97, 0.97, 0.95]), np.array([0.06, 0.05, 0.08]))


def contrasting(draw: Draw, ground: np.ndarray) -> np.ndarray:
    """Return a colour that stands out from the mean of its ground."""
    found = colour(draw, (0.05, 1), (0.3, 1))
    for _ in range(12):
        if np.abs(found - ground).sum() > 0.75:
            break
        found = colour(draw, (0.05, 1), (0.2, 1))
    return found


def painted(
    draw: Draw, x: np.ndarray, y: np.ndarray, distance: np.ndarray, tint: np.ndarray
) -> np.ndarray:
    """Return the surface of an object, RGB in [0, 1].

    Args:
        x, y: coordinates in the object's own frame.
        distance: signed distance to its edge, in the same units.
        tint: its colour.
    """
    shade = _texture(draw, x, y) * _light(draw, x, y, distance)
    surface = tint * shade[..., None]
    if draw.random() < 0.25:
        other = colour(draw, (0.05, 1), (0.25, 1))
        share = np.clip(0.5 + 0.5 * (np.cos(draw.uniform(0, 6)) * x + y), 0, 1)
        surface = ramp(share, tint, 0.4 * tint + 0.6 * other) * shade[..., None]
    return surface


def outlined(draw: Draw, surface: np.ndarray, distance: np.ndarray, pixel: float) -> np.ndarray:
    """Draw an outline just inside the edge, or none; pixel is one pixel in units of distance."""
    colour_of_line = _OUTLINES[int(draw.integers(len(_OUTLINES)))]
    if colour_of_line is None:
        return surface
    width = draw.uniform(1.2, 2.0) * pixel
    alpha = np.clip((distance + width) / pixel + 0.5, 0, 1)
    return surface + alpha[..., None] * (colour_of_line - surface)


def _light(draw: Draw, x: np.ndarray, y: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Brightness by the light's direction: domes, bevels, facets, or a soft gradient."""
    angle = draw.uniform(0, 2 * np.pi)
    lx, ly = np.cos(angle), np.sin(angle)
    kind = int(draw.integers(4))
    if kind == 0:  # a soft gradient
        return 1 + 0.25 * (lx * x + ly * y)
    if kind == 1:  # facets around the middle
        sector = np.floor((np.arctan2(y, x) - angle) / (np.pi / 4))
        return 0.78 + 0.34 * (0.5 + 0.5 * np.cos(sector * np.pi / 4))
    width = 0.22 if kind == 2 else 0.8  # a bevel or a dome
    height = np.sqrt(np.clip(1 - np.clip(1 + distance / width, 0, 1) ** 2, 0, 1))
    dy, dx = np.gradient(height)
    steep = 3.2 if kind == 2 else 9.0
    return np.clip(1 - steep * (lx * dx + ly * dy), 0.45, 1.5)


def _texture(draw: Draw, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    kind = int(draw.integers(6))
    angle = draw.uniform(0, np.pi)
    u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    if kind == 0:  # stripes
        return 0.86 + 0.18 * (np.sin(2 * np.pi * draw.uniform(1, 2.4) * u) > 0)
    if kind == 1:  # scales
        period = draw.uniform(2.2, 3.6)
        return 0.88 + 0.2 * np.sin(np.pi * period * u) * np.sin(np.pi * period * v)
    if kind == 2:  # clouded
        return 0.8 + 0.4 * cloudy(draw, len(x), 4)
    if kind == 3:  # grain
        return 0.93 + 0.14 * draw.random(x.shape)
    return np.ones(x.shape)
