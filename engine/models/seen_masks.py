"""The true mask of a picture as a network sees it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.inputs.images import ImageInput
from engine.models.loaded import LoadedModel
from engine.models.specs import ImageSpec


def seen_mask(model: LoadedModel, picture: ImageInput) -> np.ndarray | None:
    """Return the true mask as the network sees it, bool ``(height, width)``, or None."""
    spec = model.spec
    if picture.truth is None or picture.truth.mask is None or not isinstance(spec, ImageSpec):
        return None
    white = np.where(picture.truth.mask, 255, 0).astype(np.uint8)
    fitted = replace(spec, interpolation="bilinear").fitted(replace(picture, pixels=white))
    return np.asarray(fitted.convert("L")) >= 128
