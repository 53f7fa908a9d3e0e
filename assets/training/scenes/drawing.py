"""One scene: ground, object, distractors; with the mask of what decides its class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assets.training.scenes import distractors, surfaces
from assets.training.scenes.backgrounds import BACKGROUNDS
from assets.training.scenes.noise import Draw, blend
from assets.training.scenes.shapes import CLASSES, SHAPES

SIDE = 64
# Width as a share of the picture and rotation in radians: they decide how hard the task is.
WIDTH = (0.33, 0.62)
ROTATION = 0.55
COVERED_SHARE = 1 / 3
_COVER = (0.05, 0.3)


@dataclass(frozen=True)
class Scene:
    """A picture whose class is known, and why.

    Attributes:
        picture: uint8 ``(64, 64, 3)``.
        label: index of the class.
        mask: bool ``(64, 64)``, the visible pixels of the object.
        distractors: how many things lie around it.
        covered: share of the object that a distractor hides, 0 … 1.
    """

    picture: np.ndarray
    label: int
    mask: np.ndarray
    distractors: int
    covered: float


def draw_scene(seed: int, index: int, label: int | None = None) -> Scene:
    """Draw scene number ``index`` of a seed; its class is ``index % 10`` unless one is given."""
    draw = np.random.default_rng([seed, index])
    label = index % len(CLASSES) if label is None else label
    picture = BACKGROUNDS[int(draw.integers(len(BACKGROUNDS)))](draw, SIDE).clip(0, 1)
    picture, solid = _object(draw, picture, label)
    wanted = int(draw.integers(2, 4))
    hidden = np.zeros_like(solid)
    for number in range(wanted):
        covers = number == 0 and draw.random() < COVERED_SHARE
        picture, over = _distractor(draw, picture, solid, covers)
        hidden |= over
    grain = draw.normal(0, 0.016, picture.shape)
    pixels = np.rint(255 * np.clip(picture + grain, 0, 1)).astype(np.uint8)
    covered = float((solid & hidden).sum() / solid.sum())
    return Scene(pixels, label, solid & ~hidden, wanted, covered)


def _object(draw: Draw, picture: np.ndarray, label: int) -> tuple[np.ndarray, np.ndarray]:
    half = SIDE * draw.uniform(*WIDTH) / 2
    reach = 1.08 * half
    cx, cy = draw.uniform(reach, SIDE - reach, 2)
    x, y = _frame(cx, cy, draw.uniform(-ROTATION, ROTATION), half)
    distance = SHAPES[CLASSES[label]](x, y)
    alpha = np.clip(0.5 - distance * half, 0, 1)
    ground = picture[alpha > 0.5].mean(axis=0)
    surface = surfaces.painted(draw, x, y, distance, surfaces.contrasting(draw, ground))
    surface = surfaces.outlined(draw, surface, distance, 1 / half).clip(0, 1)
    return blend(_shadowed(draw, picture, alpha), surface, alpha), alpha > 0.5


def _shadowed(draw: Draw, picture: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Darken the ground beside an object a little, or not."""
    if draw.random() < 0.5:
        return picture
    shadow = np.roll(alpha, tuple(draw.integers(-2, 3, 2)), axis=(0, 1))
    return picture * (1 - 0.35 * shadow[..., None])


def _distractor(
    draw: Draw, picture: np.ndarray, solid: np.ndarray, covers: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Lay one thing over the picture; it covers part of the object only if it should."""
    kinds = distractors.DISTRACTORS
    kind = kinds[int(draw.integers(len(kinds)))]
    shape_seed = int(draw.integers(2**31))
    low, high = _COVER if covers else (0.0, 0.01)
    best: tuple[float, np.ndarray, tuple[np.ndarray, np.ndarray]] | None = None
    for _ in range(14):
        x, y = _frame(*_place(draw, solid, covers), draw.uniform(0, 2 * np.pi), 1.0)
        distance = kind(np.random.default_rng(shape_seed), x, y)
        share = float(((distance < 0) & solid).sum() / solid.sum())
        off = max(low - share, share - high, 0)
        if best is None or off < best[0]:
            best = (off, distance, (x, y))
        if off == 0:
            break
    assert best is not None
    _, distance, (x, y) = best
    alpha = np.clip(0.5 - distance, 0, 1)
    ground = picture[alpha > 0.5].mean(axis=0) if (alpha > 0.5).any() else picture.mean((0, 1))
    tint = surfaces.contrasting(draw, ground)
    surface = surfaces.painted(draw, x / 6, y / 6, distance / 6, tint)
    surface = surfaces.outlined(draw, surface, distance, 0.5).clip(0, 1)
    return blend(picture, surface, alpha), alpha > 0.5


def _place(draw: Draw, solid: np.ndarray, covers: bool) -> tuple[float, float]:
    if not covers:
        x, y = draw.uniform(3, SIDE - 3, 2)
        return float(x), float(y)
    rows, columns = np.nonzero(solid)
    chosen = int(draw.integers(len(rows)))
    x, y = columns[chosen] + draw.normal(0, 2), rows[chosen] + draw.normal(0, 2)
    return float(x), float(y)


def _frame(cx: float, cy: float, angle: float, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates around a centre, turned, in a unit."""
    rows, columns = np.mgrid[:SIDE, :SIDE] + 0.5
    dx, dy = (columns - cx) / unit, (rows - cy) / unit
    return np.cos(angle) * dx + np.sin(angle) * dy, np.cos(angle) * dy - np.sin(angle) * dx
