"""Drawn masks and label images, brought to what a network sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.errors import InputError
from engine.inputs.images import ImageInput
from engine.missingness.grids import extent, usual_grid
from engine.models.loaded import Given, LoadedModel
from engine.models.specs import ImageSpec

_MOST_LABELS = 255
_HALF = 128


def drawn_mask(model: LoadedModel, given: Given, drawing: ImageInput) -> np.ndarray:
    """Return a drawing as a mask: what is white (brighter than the middle) stays.

    Args:
        model: the model.
        given: the input that is hidden in part.
        drawing: as large as the picture, as what the network sees, or as the usual grid.

    Returns:
        bool ``(height, width)`` of what the network sees, or on the grid. What lies outside the
        picture (the margins of a letterbox) stays.

    Raises:
        InputError: a drawing of another size.
    """
    grey = np.asarray(drawing.picture.convert("L"))
    return _seen(model, given, (grey < _HALF).astype(np.uint8), "mask") == 0


def label_image(model: LoadedModel, given: Given, labels: ImageInput) -> np.ndarray:
    """Return a label image as regions: each colour is one, what lies outside the picture another.

    Args:
        model: the model.
        given: the input that is hidden in part.
        labels: as large as the picture, as what the network sees, or as the usual grid.

    Returns:
        int64 ``(height, width)`` of what the network sees, or on the grid.

    Raises:
        InputError: labels of another size, or more than 255 colours.
    """
    pixels = labels.pixels.reshape(*labels.pixels.shape[:2], -1).astype(np.int64)
    packed = (pixels * 256 ** np.arange(pixels.shape[-1])).sum(axis=-1)
    known, number = np.unique(packed, return_inverse=True)
    if len(known) > _MOST_LABELS:
        raise InputError(
            f"{labels.name} has {len(known)} colours; a label image has one for each region, "
            f"{_MOST_LABELS} at the most (a JPEG smears them: use PNG)"
        )
    numbers = (number.reshape(packed.shape) + 1).astype(np.uint8)
    return _seen(model, given, numbers, "label image").astype(np.int64)


def _seen(model: LoadedModel, given: Given, values: np.ndarray, called: str) -> np.ndarray:
    """Bring whole numbers from 0 to 255 to what the network sees; outside the picture is 0."""
    seen = extent(model)
    own = given.pixels.shape[:2] if isinstance(given, ImageInput) else None
    if values.shape == own and isinstance(model.spec, ImageSpec) and isinstance(given, ImageInput):
        plain = replace(model.spec, channels=1, mean=(0.0,), std=(1.0,), interpolation="nearest")
        return np.asarray(plain.fitted(ImageInput(values, called, given.fit)))
    if values.shape in (seen, usual_grid(model)):
        return values
    told = "" if own is None else f"as large as the picture ({own[1]} × {own[0]} pixels), or "
    raise InputError(
        f"the {called} has {values.shape[1]} × {values.shape[0]} pixels; draw it {told}as what "
        f"the network sees ({seen[1]} × {seen[0]})"
    )
