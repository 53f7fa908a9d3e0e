"""Masks as pictures: what is hidden is hatched, so that it is never taken for something black."""

from __future__ import annotations

import base64
import io
from functools import lru_cache

import numpy as np
from PIL import Image

_LIGHT, _DARK = (236, 238, 243), (150, 156, 171)  # apart on every photograph, light page or dark
_EDGE = (17, 19, 24)
_PERIOD = 10  # pixels from stripe to stripe, across
_SHINES = 0.14  # how much of the photograph shines through


def enlarged(keep: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Bring a mask ``(rows, columns)`` to a size (width, height), cells sharp.

    >>> enlarged(np.array([[True, False]]), (4, 1)).tolist()
    [[True, True, False, False]]
    """
    width, height = size
    rows = np.arange(height) * keep.shape[0] // height
    columns = np.arange(width) * keep.shape[1] // width
    return np.asarray(keep[rows[:, None], columns])


def hatched(photo: Image.Image, keep: np.ndarray) -> Image.Image:
    """Draw stripes over what is hidden of a photograph.

    Args:
        photo: what the network sees.
        keep: bool ``(rows, columns)``, True = stays; cells or pixels.
    """
    rgb = photo.convert("RGB")
    striped = Image.blend(rgb, _stripes(rgb.size), 1 - _SHINES)
    stays = Image.fromarray(np.where(enlarged(keep, rgb.size), 255, 0).astype(np.uint8))
    return Image.composite(rgb, striped, stays)


@lru_cache(maxsize=8)
def _stripes(size: tuple[int, int]) -> Image.Image:
    y, x = np.indices((size[1], size[0]))
    light = ((x + y) // (_PERIOD // 2)) % 2 == 0
    return Image.fromarray(np.where(light[..., None], _LIGHT, _DARK).astype(np.uint8))


def black_and_white(keep: np.ndarray, size: tuple[int, int]) -> Image.Image:
    """Return a mask as a picture to take away: white stays, black is hidden."""
    return Image.fromarray(np.where(enlarged(keep, size), 255, 0).astype(np.uint8))


def bordered(picture: Image.Image, regions: np.ndarray) -> Image.Image:
    """Draw the borders of regions, int ``(rows, columns)`` of any size: white beside black."""
    at = enlarged(regions, picture.size)
    edge = np.zeros(at.shape, dtype=bool)
    edge[1:] |= at[1:] != at[:-1]
    edge[:, 1:] |= at[:, 1:] != at[:, :-1]
    light = np.roll(edge, 1, axis=(0, 1))
    rgb = np.array(picture)
    rgb[light] = 255
    rgb[edge] = _EDGE
    return Image.fromarray(rgb)


def seen(values: np.ndarray, size: tuple[int, int]) -> Image.Image:
    """Return what a network was given as a picture.

    Args:
        values: colours in [0, 1], ``(channels, height, width)``; of other than three channels the
            first alone is drawn, in grey.
        size: width and height wanted; pixels stay sharp where it is larger.
    """
    some = values if len(values) == 3 else values[:1].repeat(3, axis=0)
    rgb = np.rint(255 * np.clip(some, 0, 1)).astype(np.uint8).transpose(1, 2, 0)
    how = Image.Resampling.NEAREST if size[0] >= rgb.shape[1] else Image.Resampling.BOX
    return Image.fromarray(np.ascontiguousarray(rgb)).resize(size, how)


def uri(picture: Image.Image) -> str:
    """Return a picture as an address that holds it: nothing is fetched, so nothing comes too late.

    Pictures that follow a slider change faster than a browser fetches them.
    """
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=92, subsampling=0)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def example() -> Image.Image:
    """A made-up mask over a plain picture with a disc."""
    return hatched(disc(), np.indices((8, 8)).sum(axis=0) % 3 > 0)


def disc() -> Image.Image:
    """Return a plain picture with a disc on it, made up."""
    y, x = np.mgrid[0:128, 0:128]
    inside = (x - 78) ** 2 + (y - 45) ** 2 < 24**2
    return Image.fromarray(np.where(inside[..., None], (214, 158, 92), (96, 132, 150)).astype("u1"))
