"""What sweeps and studies of geometry say alike of what they are about."""

from __future__ import annotations

from typing import Any

from engine.inputs.image_sets import ImageSet
from engine.inputs.images import Fit
from engine.manifest import SCHEMA, versions
from engine.models.loaded import LoadedModel


def decided_by(
    model: LoadedModel, images: ImageSet, calibration: ImageSet | None, fit: Fit, seed: int
) -> dict[str, Any]:
    """Return what decides the numbers, whatever is asked: part of a request.

    Args:
        model: the untouched network.
        images: pictures that networks are judged on.
        calibration: pictures that they are scored and repaired with; None for a part of ``images``.
        fit: how pictures are brought to the network's size.
        seed: of all that is drawn.
    """
    return {
        "schema": SCHEMA,
        "model": model.describe(),
        "preprocessing": {**model.spec.describe(), "fit": fit},
        "classes": model.classes_digest,
        "images": images.digest,
        "calibration": None if calibration is None else calibration.digest,
        "seed": seed,
        "device": model.device.type,
        "dtype": model.dtype,
        "versions": {**versions(), **model.packages},
    }


def source_of(model: LoadedModel, images: ImageSet, calibrating: ImageSet) -> dict[str, Any]:
    """Return names a person would know; they decide nothing."""
    return {
        "model": model.ref,
        "model_title": model.card.title,
        "images": images.name,
        "images_origin": images.origin,
        "calibration": calibrating.name,
        "calibration_origin": calibrating.origin,
    }
