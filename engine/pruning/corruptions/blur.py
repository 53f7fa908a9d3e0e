"""Blurs. All take float32 ``(h, w, c)`` from 0 to 1, a strength, and a source of draws."""

from __future__ import annotations

from math import ceil, cos, radians, sin

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

_LEAST_SIGMA = 1e-3


def smoothed(x: np.ndarray, sigma: float) -> np.ndarray:
    """Blur rows and columns; channels stay apart."""
    if sigma < _LEAST_SIGMA:
        return x
    return np.asarray(gaussian_filter(x, (sigma, sigma, 0)[: x.ndim], mode="nearest"))


def filtered(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Correlate each channel with a kernel of odd sides; beyond the border it is mirrored."""
    rows, columns = kernel.shape[0] // 2, kernel.shape[1] // 2
    padded = np.pad(x, ((rows, rows), (columns, columns), (0, 0)), mode="reflect")
    turned = kernel[::-1, ::-1, None].astype(x.dtype)
    return np.asarray(fftconvolve(padded, turned, mode="valid", axes=(0, 1)))


def along(x: np.ndarray, radius: int, sigma: float, degrees: float) -> np.ndarray:
    """Smear one way: half a normal curve of 2 × radius + 1 steps, from each place onwards."""
    steps = np.arange(2 * radius + 1)
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    reach = 2 * radius + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1))
    for step, weight in zip(steps, weights / weights.sum(), strict=True):
        row = reach + step * sin(radians(degrees))
        column = reach + step * cos(radians(degrees))
        top, left = int(row), int(column)
        for r, share_r in ((top, top + 1 - row), (top + 1, row - top)):
            for c, share_c in ((left, left + 1 - column), (left + 1, column - left)):
                kernel[min(r, 2 * reach), min(c, 2 * reach)] += weight * share_r * share_c
    return filtered(x, kernel)


def zoomed(x: np.ndarray, factor: float) -> np.ndarray:
    """Enlarge the middle of ``(h, w, …)`` to the whole size, bilinear."""
    for axis in (0, 1):
        length = x.shape[axis]
        middle = (length - 1) / 2
        places = middle + (np.arange(length) - middle) / factor
        low = np.floor(places).astype(int)
        share = (places - low).astype(x.dtype).reshape(-1, *[1] * (x.ndim - axis - 1))
        high = np.minimum(low + 1, length - 1)
        x = x.take(low, axis) * (1 - share) + x.take(high, axis) * share
    return x


def gaussian_blur(x: np.ndarray, sigma: float, _rng: np.random.Generator) -> np.ndarray:
    """Blur with a normal curve."""
    return smoothed(x, sigma)


def defocus_blur(
    x: np.ndarray, strength: tuple[float, float], _rng: np.random.Generator
) -> np.ndarray:
    """Blur with a disk, whose edge is softened."""
    radius, soft = strength
    reach = ceil(radius) + 1  # room for the softened edge
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disk = (rows**2 + columns**2 <= radius**2).astype(float)
    around = np.exp(-(np.array([-1.0, 0.0, 1.0]) ** 2) / (2 * soft**2))
    around /= around.sum()
    soft_disk = fftconvolve(disk / disk.sum(), np.outer(around, around), mode="same")
    return filtered(x, soft_disk)


def glass_blur(
    x: np.ndarray, strength: tuple[float, int, int], rng: np.random.Generator
) -> np.ndarray:
    """Blur, let pixels take over the colours of others near by, in turn, and blur again.

    The paper speaks of swaps; the program that made its files copies, and so does this.
    """
    sigma, far, rounds = strength
    height, width = x.shape[:2]
    order = list(range(height * width))
    # Row by row from the far corner, away from the borders.
    at = [
        row * width + column
        for row in range(height - far - 1, far - 1, -1)
        for column in range(width - far - 1, far - 1, -1)
    ]
    for _ in range(rounds):
        down, right = rng.integers(-far, far, (2, len(at)))
        for here, there in zip(at, (np.array(at) + down * width + right).tolist(), strict=True):
            order[here] = order[there]
    shuffled = smoothed(x, sigma).reshape(height * width, -1)[order].reshape(x.shape)
    return smoothed(shuffled, sigma)


def motion_blur(x: np.ndarray, strength: tuple[int, float], rng: np.random.Generator) -> np.ndarray:
    """Smear along a line of a drawn direction, from −45 to 45 degrees."""
    return along(x, *strength, rng.uniform(-45, 45))


def zoom_blur(
    x: np.ndarray, strength: tuple[float, float], _rng: np.random.Generator
) -> np.ndarray:
    """Take the mean of the picture and of ever larger zooms into it."""
    most, step = strength
    zooms = 1 + step * np.arange(round((most - 1) / step) + 1)
    return np.asarray((x + sum(zoomed(x, zoom) for zoom in zooms)) / (len(zooms) + 1))
