"""Weather. All take float32 ``(h, w, c)`` from 0 to 1, a strength, and a source of draws."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_erosion, distance_transform_edt, uniform_filter
from skimage.exposure import equalize_hist

from engine.pruning.corruptions.blur import along, filtered, smoothed, zoomed

_WATER = np.array([175, 238, 238], np.float32) / 255
_MUD = np.array([63, 42, 20], np.float32) / 255
_ICE = np.array([0.88, 0.95, 1.0], np.float32)
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
_EMBOSS = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])


def grey(x: np.ndarray) -> np.ndarray:
    """Return the luminance, ``(h, w, 1)``."""
    return x if x.shape[2] == 1 else np.asarray(x @ _LUMINANCE)[..., None]


def tint(colour: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return a colour with as many channels as a picture."""
    return colour if x.shape[2] == 3 else np.array([colour @ _LUMINANCE])


def plasma(side: int, decay: float, rng: np.random.Generator) -> np.ndarray:
    """Return clouds from 0 to 1, ``(side, side)``, by midpoints on a torus.

    Each halving fills in the middles of squares, then those of their sides, by the mean of the
    four nearest plus noise, which shrinks by ``decay`` squared.

    Args:
        side: a power of two.
        decay: how much less the detail counts.
        rng: of the noise.
    """
    found, spread, step = np.zeros((side, side)), 1.0, side

    def between(*four: np.ndarray) -> np.ndarray:
        return np.asarray(sum(four) / 4 + rng.uniform(-spread, spread, four[0].shape))

    while step > 1:
        half = step // 2
        corners = found[::step, ::step]
        right, below = np.roll(corners, -1, axis=1), np.roll(corners, -1, axis=0)
        middles = between(corners, right, below, np.roll(right, -1, axis=0))
        found[half::step, half::step] = middles
        found[::step, half::step] = between(corners, right, middles, np.roll(middles, 1, axis=0))
        found[half::step, ::step] = between(corners, below, middles, np.roll(middles, 1, axis=1))
        spread, step = spread / decay**2, half
    found -= found.min()
    return np.asarray(found / max(found.max(), 1e-12))


def clouds(x: np.ndarray, decay: float, rng: np.random.Generator) -> np.ndarray:
    """Return clouds of a picture's size, float32 ``(h, w, 1)``."""
    height, width = x.shape[:2]
    side = 1 << (max(height, width, 2) - 1).bit_length()
    return plasma(side, decay, rng)[:height, :width, None].astype(np.float32)


def fog(x: np.ndarray, strength: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Lay clouds over the picture, and take the brightness back to what it was."""
    density, decay = strength
    brightest = x.max()
    return np.asarray((x + density * clouds(x, decay, rng)) * brightest / (brightest + density))


def snow(x: np.ndarray, strength: tuple[float, ...], rng: np.random.Generator) -> np.ndarray:
    """Whiten the picture, and let streaks of flakes fall, both ways up."""
    mean, spread, zoom, threshold, radius, sigma, share = strength
    flakes = mean + spread * rng.standard_normal((*x.shape[:2], 1), np.float32)
    flakes = zoomed(flakes, zoom)
    flakes = np.where(flakes < threshold, 0, flakes).clip(0, 1)
    falling = along(flakes, int(radius), sigma, rng.uniform(-135, -45)).clip(0, 1)
    white = share * x + (1 - share) * np.maximum(x, grey(x) * 1.5 + 0.5)
    return np.asarray(white + falling + falling[::-1, ::-1])


def frost(x: np.ndarray, strength: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Lay ice over the picture: needles in three directions, thick and thin by clouds (ours)."""
    picture, ice = strength
    length = max(2, min(x.shape[:2]) // 8)
    first = rng.uniform(0, 60)
    needles = np.max(
        [
            along(rng.standard_normal((*x.shape[:2], 1), np.float32), length, length, first + turn)
            for turn in (0, 60, 120)
        ],
        axis=0,
    )
    bright = (needles - needles.min()) / max(float(np.ptp(needles)), 1e-6)
    thick = clouds(x, 1.8, rng)
    layer = (0.25 + 0.5 * thick + 0.9 * thick * (bright - 0.35)).clip(0, 1) * tint(_ICE, x)
    return np.asarray(picture * x + ice * layer)


def spatter(x: np.ndarray, strength: tuple[float, ...], rng: np.random.Generator) -> np.ndarray:
    """Splash drops of water, or of mud, on the lens."""
    mean, spread, sigma, threshold, amount, mud = strength
    drops = smoothed(mean + spread * rng.standard_normal(x.shape[:2], np.float32), sigma)
    if mud:
        cover = smoothed((drops > threshold).astype(np.float32), amount)[..., None]
        cover = np.where(cover < 0.8, 0, cover)
        return np.asarray(x * (1 - cover) + cover * tint(_MUD, x))
    wet = np.where(drops < threshold, 0, drops)
    shine = wet * _relief(wet > 0)
    if shine.max() <= 0:
        return x
    return np.asarray(x + amount * (shine / shine.max())[..., None] * tint(_WATER, x))


def _relief(wet: np.ndarray) -> np.ndarray:
    """Return how light falls on drops that rise from their edges, ``(h, w)`` (our definition)."""
    edges = wet & ~binary_erosion(wet)
    if not edges.any():
        return np.zeros(wet.shape)
    height = uniform_filter(distance_transform_edt(~edges).clip(max=20), 3)
    light = filtered(equalize_hist(height)[..., None], _EMBOSS)[..., 0].clip(0, 1)
    return np.asarray(uniform_filter(light, 3))
