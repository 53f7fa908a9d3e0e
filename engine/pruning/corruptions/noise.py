"""Noise. All take float32 ``(h, w, c)`` from 0 to 1, a strength, and a source of draws."""

from __future__ import annotations

import numpy as np


def gaussian_noise(x: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """Add normal noise."""
    return np.asarray(x + deviation * rng.standard_normal(x.shape, np.float32))


def shot_noise(x: np.ndarray, photons: float, rng: np.random.Generator) -> np.ndarray:
    """Count photons: Poisson noise."""
    return np.asarray(rng.poisson(x * photons) / photons)


def impulse_noise(x: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Turn some values black or white, each channel by itself."""
    chance, white = rng.random(x.shape, np.float32), rng.random(x.shape, np.float32) < 0.5
    return np.where(chance < share, white.astype(np.float32), x)


def speckle_noise(x: np.ndarray, deviation: float, rng: np.random.Generator) -> np.ndarray:
    """Add noise in proportion to each value."""
    return np.asarray(x + x * deviation * rng.standard_normal(x.shape, np.float32))
