"""Things that catch the eye and say nothing: pebbles, curves, squiggles, dots and dashes.

Each returns a signed distance in pixels around its own centre.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assets.training.scenes.noise import Draw

Field = np.ndarray


def pebble(draw: Draw, x: Field, y: Field) -> Field:
    """An elongated lump."""
    long = draw.uniform(4.5, 8)
    flat = long * draw.uniform(0.42, 0.62)
    angle = np.arctan2(y, x)
    wobble = sum(
        draw.uniform(0.02, 0.1) * np.cos(k * angle + draw.uniform(0, 6.28)) for k in (2, 3, 5)
    )
    reach = np.hypot(x / long, y / flat)
    return (reach - 1 - wobble) * flat


def curve(draw: Draw, x: Field, y: Field) -> Field:
    """A piece of a wide arc."""
    radius, half = draw.uniform(9, 20), draw.uniform(5, 9)
    along = np.arctan2(x, y + radius) * radius
    beyond = np.maximum(np.abs(along) - half, 0)
    return np.hypot(np.hypot(x, y + radius) - radius, beyond) - draw.uniform(0.8, 1.5)


def squiggle(draw: Draw, x: Field, y: Field) -> Field:
    """A wavy line."""
    half, high, waves = draw.uniform(6, 10), draw.uniform(1.5, 3), draw.uniform(1, 2)
    slope = 2 * np.pi * waves / (2 * half)
    off = (y - high * np.sin(slope * x)) / np.sqrt(1 + (high * slope * np.cos(slope * x)) ** 2)
    return np.hypot(off, np.maximum(np.abs(x) - half, 0)) - draw.uniform(0.8, 1.4)


def dots(draw: Draw, x: Field, y: Field) -> Field:
    """A loose handful of dots."""
    near = np.full(x.shape, np.inf)
    for _ in range(int(draw.integers(4, 9))):
        cx, cy = draw.normal(0, 4, 2)
        near = np.minimum(near, np.hypot(x - cx, y - cy) - draw.uniform(0.6, 1.3))
    return near


def dashes(draw: Draw, x: Field, y: Field) -> Field:
    """A few parallel strokes."""
    near = np.full(x.shape, np.inf)
    half, gap = draw.uniform(3.5, 7), draw.uniform(2.8, 4)
    count = int(draw.integers(2, 5))
    for index in range(count):
        line = (index - (count - 1) / 2) * gap
        near = np.minimum(near, np.hypot(y - line, np.maximum(np.abs(x) - half, 0)) - 0.75)
    return near


DISTRACTORS: tuple[Callable[[Draw, Field, Field], Field], ...] = (
    pebble, pebble, curve, squiggle, dots, dashes,
)  # fmt: skip
