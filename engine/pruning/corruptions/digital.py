"""What cameras and files do. All take float32 ``(h, w, c)`` from 0 to 1, a strength, draws."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates


def brightness(x: np.ndarray, more: float, _rng: np.random.Generator) -> np.ndarray:
    """Raise the largest channel of each pixel; hue and saturation stay."""
    value = x.max(axis=2, keepdims=True)
    raised = np.minimum(value + more, 1)
    return np.where(value > 0, x * raised / np.where(value > 0, value, 1), raised)


def contrast(x: np.ndarray, left: float, _rng: np.random.Generator) -> np.ndarray:
    """Bring each channel nearer to its mean."""
    mean = x.mean(axis=(0, 1), keepdims=True)
    return np.asarray((x - mean) * left + mean)


def saturate(x: np.ndarray, strength: tuple[float, float], _rng: np.random.Generator) -> np.ndarray:
    """Multiply the saturation, and add to it; greys, which have no hue, turn red."""
    if x.shape[2] == 1:
        return x
    factor, more = strength
    value = x.max(axis=2, keepdims=True)
    below = value - x  # largest where the saturation shows
    saturation = below.max(axis=2, keepdims=True) / np.where(value > 0, value, 1)
    changed = np.clip(saturation * factor + more, 0, 1)
    red = value * np.array([0, 1, 1], x.dtype) * changed
    moved = below * changed / np.where(saturation > 0, saturation, 1)
    return np.asarray(value - np.where(saturation > 0, moved, red))


def jpeg_compression(x: np.ndarray, quality: int, _rng: np.random.Generator) -> np.ndarray:
    """Save it as JPEG, and read it back."""
    file = BytesIO()
    _picture(x).save(file, "JPEG", quality=quality)
    with Image.open(file) as opened:
        return _values(opened, x)


def pixelate(x: np.ndarray, left: float, _rng: np.random.Generator) -> np.ndarray:
    """Make it smaller, and larger again, by boxes."""
    height, width = x.shape[:2]
    small = (max(1, int(width * left)), max(1, int(height * left)))
    box = Image.Resampling.BOX
    return _values(_picture(x).resize(small, box).resize((width, height), box), x)


def elastic_transform(
    x: np.ndarray, strength: tuple[float, float, float], rng: np.random.Generator
) -> np.ndarray:
    """Tilt and stretch the picture, and shift each place by smooth noise."""
    height, width = x.shape[:2]
    side = min(height, width)
    amount, smooth, corners = (side * share for share in strength)
    middle, third = np.array([height // 2, width // 2]), side // 3
    before = middle + third * np.array([[1, 1], [-1, 1], [-1, -1]])
    after = before + rng.uniform(-corners, corners, before.shape)
    back = np.linalg.solve(np.c_[after, np.ones(3)], before)  # (3, 2): from where a place comes
    places = np.mgrid[:height, :width].astype(float)
    for axis in (0, 1):
        noise = rng.uniform(-1, 1, (height, width))
        if amount > 0:
            places[axis] += amount * gaussian_filter(noise, smooth, mode="reflect", truncate=3)
    come = np.einsum("ahw,ab->bhw", places, back[:2]) + back[2][:, None, None]
    moved = [map_coordinates(x[..., c], come, order=1, mode="mirror") for c in range(x.shape[2])]
    return np.stack(moved, axis=2)


def _picture(x: np.ndarray) -> Image.Image:
    pixels = np.rint(x * 255).astype(np.uint8)
    return Image.fromarray(pixels[..., 0] if x.shape[2] == 1 else pixels)


def _values(picture: Image.Image, like: np.ndarray) -> np.ndarray:
    return (np.asarray(picture, np.float32) / 255).reshape(like.shape)
