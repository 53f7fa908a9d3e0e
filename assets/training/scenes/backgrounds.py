"""Eight kinds of ground to put objects on; RGB in [0, 1], ``(side, side, 3)``."""

from __future__ import annotations

from collections.abc import Callable
from colorsys import hsv_to_rgb

import numpy as np

from assets.training.scenes.noise import Draw, blend, cloudy, colour, ramp, smooth


def _rows(side: int) -> np.ndarray:
    return np.repeat(np.linspace(0, 1, side)[:, None], side, axis=1)


# Hues of a sky, above and at the horizon: day, dusk, dawn, haze, storm.
_SKIES = ((0.57, 0.53), (0.72, 0.06), (0.83, 0.11), (0.6, 0.95), (0.47, 0.14), (0.93, 0.03))


def _sky(draw: Draw, side: int) -> np.ndarray:
    above, below = np.array(_SKIES[int(draw.integers(len(_SKIES)))]) + draw.normal(0, 0.025, 2)
    high = np.array(hsv_to_rgb(above % 1, draw.uniform(0.3, 0.65), draw.uniform(0.4, 0.85)))
    low = np.array(hsv_to_rgb(below % 1, draw.uniform(0.15, 0.6), draw.uniform(0.85, 1)))
    bent = np.clip(_rows(side) * 1.4 + 0.12 * (cloudy(draw, side, 2) - 0.5), 0, 1)
    return ramp(bent, high, 0.5 * (high + low), low)


def _ridge(draw: Draw, side: int, level: float, height: float, cells: float) -> np.ndarray:
    """Where the ground below a ridge begins: soft alpha ``(side, side)``."""
    line = sum(smooth(draw, side, cells * 2**i)[0] * 0.5**i for i in range(3)) / 1.75 - 0.5
    return np.clip((_rows(side) - (level + height * line)[None]) * side / 1.4, 0, 1)


def sea(draw: Draw, side: int) -> np.ndarray:
    """A horizon with waves below it."""
    below = colour(draw, (0.3, 0.75), (0.25, 0.65))
    waves = smooth(draw, side, 14)[:, :1] * 0.5 + 0.5 * cloudy(draw, side, 6)
    stretched = np.repeat(waves[:, ::4], 4, axis=1)[:, :side]
    water = ramp(0.6 * stretched + 0.4 * (1 - _rows(side)), below * 0.55, below, below * 1.3)
    return blend(_sky(draw, side), water, _ridge(draw, side, draw.uniform(0.4, 0.65), 0.0, 2))


def mountains(draw: Draw, side: int) -> np.ndarray:
    """Ridges, the nearer the darker."""
    picture = _sky(draw, side)
    far, near = colour(draw, (0.2, 0.6), (0.5, 0.75)), colour(draw, (0.3, 0.7), (0.12, 0.35))
    count = int(draw.integers(2, 5))
    for index in range(count):
        share = (index + 1) / count
        level = 0.4 + 0.45 * index / count + draw.uniform(-0.04, 0.04)
        ground = far + share * (near - far) + 0.1 * (cloudy(draw, side, 8) - 0.5)[..., None]
        picture = blend(picture, ground, _ridge(draw, side, level, 0.28, 4))
    return picture


def hills(draw: Draw, side: int) -> np.ndarray:
    """Soft rounded land."""
    picture = _sky(draw, side)
    for index in range(3):
        land = colour(draw, (0.3, 0.7), (0.3, 0.7))
        light = ramp(cloudy(draw, side, 5), land * 0.75, land * 1.15)
        picture = blend(picture, light, _ridge(draw, side, 0.5 + 0.17 * index, 0.2, 1.6))
    return picture


def clouds(draw: Draw, side: int) -> np.ndarray:
    """Billows of two or three colours."""
    stops = [colour(draw, (0.15, 0.65), (0.25, 1)) for _ in range(3)]
    bent = np.clip(0.5 + 1.3 * (cloudy(draw, side, 3, 5) - 0.5), 0, 1)
    return ramp(bent, *stops)


def night(draw: Draw, side: int) -> np.ndarray:
    """Dark sky with stars."""
    low, high = colour(draw, (0.4, 0.8), (0.05, 0.18)), colour(draw, (0.4, 0.8), (0.15, 0.4))
    picture = ramp(0.6 * cloudy(draw, side, 2) + 0.4 * _rows(side), low, high)
    for _ in range(int(draw.integers(10, 36))):
        row, column = draw.integers(0, side, 2)
        picture[row, column] += draw.uniform(0.2, 0.8)
    return picture


def sand(draw: Draw, side: int) -> np.ndarray:
    """Wavy stripes."""
    rows, columns = np.mgrid[:side, :side] / side
    angle = draw.uniform(0, np.pi)
    across = np.cos(angle) * columns + np.sin(angle) * rows + 0.12 * cloudy(draw, side, 2)
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * draw.uniform(4, 9) * across)
    tint = colour(draw, (0.12, 0.5), (0.5, 0.95))
    return ramp(0.75 * wave + 0.25 * cloudy(draw, side, 6), tint * 0.8, tint, tint * 1.12)


def glow(draw: Draw, side: int) -> np.ndarray:
    """A soft light somewhere."""
    rows, columns = np.mgrid[:side, :side] / side
    y, x = draw.uniform(0.1, 0.9, 2)
    far = np.clip(np.hypot(rows - y, columns - x) / draw.uniform(0.6, 1.1), 0, 1)
    edge, middle = colour(draw, (0.3, 0.8), (0.15, 0.7)), colour(draw, (0.1, 0.6), (0.6, 1))
    return ramp(np.clip(far + 0.15 * (cloudy(draw, side, 3) - 0.5), 0, 1), middle, edge)


def marble(draw: Draw, side: int) -> np.ndarray:
    """Veined stone."""
    veins = np.abs(cloudy(draw, side, 2, 5) - cloudy(draw, side, 3, 4))
    stone, vein = colour(draw, (0.05, 0.45), (0.3, 0.85)), colour(draw, (0.05, 0.6), (0.15, 0.95))
    return ramp(np.clip(veins * 2.2, 0, 1), vein, stone, stone * 0.85)


BACKGROUNDS: tuple[Callable[[Draw, int], np.ndarray], ...] = (
    sea, mountains, hills, clouds, night, sand, glow, marble,
)  # fmt: skip
