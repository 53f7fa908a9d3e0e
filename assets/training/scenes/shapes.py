"""The ten shapes as signed distances: below 0 inside, above 0 outside, 0 on the edge.

Units: half the object's width is about 1; y points down.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Field = np.ndarray
Distance = Callable[[Field, Field], Field]


def polygon(x: Field, y: Field, corners: np.ndarray) -> Field:
    """Distance to a closed polygon with corners ``(n, 2)``."""
    nearest = np.full(x.shape, np.inf)
    inside = np.zeros(x.shape, dtype=bool)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        ex, ey = bx - ax, by - ay
        px, py = x - ax, y - ay
        along = np.clip((px * ex + py * ey) / (ex * ex + ey * ey), 0, 1)
        nearest = np.minimum(nearest, (px - ex * along) ** 2 + (py - ey * along) ** 2)
        if ay != by:
            crosses = ((ay > y) != (by > y)) & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
            inside ^= crosses
    return np.where(inside, -1, 1) * np.sqrt(nearest)


def box(x: Field, y: Field, half_width: float, half_height: float) -> Field:
    """Distance to an upright rectangle around the origin."""
    dx, dy = np.abs(x) - half_width, np.abs(y) - half_height
    outside = np.hypot(np.maximum(dx, 0), np.maximum(dy, 0))
    return outside + np.minimum(np.maximum(dx, dy), 0)


def _around(radii: list[float], start: float = -np.pi / 2) -> np.ndarray:
    angles = start + 2 * np.pi * np.arange(len(radii)) / len(radii)
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)


_TRIANGLE = _around([1.08] * 3) + np.array([0, 0.18])
_STAR = _around([1.08, 0.46] * 5) + np.array([0, 0.04])
_ARROW = np.array(
    [[0, -1.0], [0.82, -0.12], [0.34, -0.12], [0.34, 0.98], [-0.34, 0.98], [-0.34, -0.12],
     [-0.82, -0.12]]
)  # fmt: skip


def circle(x: Field, y: Field) -> Field:
    """A full disc."""
    return np.hypot(x, y) - 0.94


def triangle(x: Field, y: Field) -> Field:
    """Three equal sides."""
    return polygon(x, y, _TRIANGLE)


def square(x: Field, y: Field) -> Field:
    """Four equal sides."""
    return box(x, y, 0.82, 0.82)


def star(x: Field, y: Field) -> Field:
    """Five points."""
    return polygon(x, y, _STAR)


def ring(x: Field, y: Field) -> Field:
    """A disc with a hole."""
    return np.abs(np.hypot(x, y) - 0.71) - 0.25


def cross(x: Field, y: Field) -> Field:
    """Two bars of equal length."""
    return np.minimum(box(x, y, 0.96, 0.36), box(x, y, 0.36, 0.96))


def heart(x: Field, y: Field) -> Field:
    """Two round lobes over a point."""
    x, y = np.abs(x) / 1.56, (0.86 - y) / 1.56
    lobe = np.hypot(x - 0.25, y - 0.75) - np.sqrt(2) / 4
    half = 0.5 * np.maximum(x + y, 0)
    tip = np.sqrt(np.minimum(x**2 + (y - 1) ** 2, (x - half) ** 2 + (y - half) ** 2))
    return 1.56 * np.where(x + y > 1, lobe, tip * np.sign(x - y))


def crescent(x: Field, y: Field) -> Field:
    """A disc with a bite."""
    bite = 0.74 - np.hypot(x - 0.46, y + 0.12)
    return np.maximum(np.hypot(x, y) - 0.98, bite)


def arrow(x: Field, y: Field) -> Field:
    """A head on a shaft."""
    return polygon(x, y, _ARROW)


def leaf(x: Field, y: Field) -> Field:
    """Where two discs overlap."""
    return np.hypot(np.abs(x) + 0.62, y) - 1.2


SHAPES: dict[str, Distance] = {
    shape.__name__: shape
    for shape in (circle, triangle, square, star, ring, cross, heart, crescent, arrow, leaf)
}
CLASSES = tuple(SHAPES)
