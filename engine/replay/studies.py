"""The plan that a study of missing parts was computed from."""

from __future__ import annotations

from typing import Any

from engine.inputs.image_sets import ImageSet
from engine.inputs.samples import SAMPLE, load_set
from engine.mask_results import MissingnessStudy
from engine.missingness.study import StudyPlan
from engine.missingness.study_asking import plan_study
from engine.replay.finding import check_complete, check_same, find_file, find_model

# What of a request must agree; the rest is where it is computed, and may differ.
_DECISIVE = {
    "model": "model",
    "images": "image set",
    "preprocessing": "preprocessing",
    "classes": "list of classes",
    "count": "number of pictures",
    "fills": "list of fills",
    "cells": "kind of cells",
    "grid": "grid of blocks",
    "order": "order",
    "saliency": "saliency method",
    "shares": "list of shares",
    "seed": "seed",
    "dtype": "number format",
}


def study_again(saved: MissingnessStudy, model: Any = None, given: Any = None) -> StudyPlan:
    """Return the plan that a study was computed from.

    Arguments and errors as in ``replay``; ``given`` is an image set, or where it lies.
    """
    request = check_complete(saved, _DECISIVE)
    source = saved.manifest["source"]
    loaded = find_model(saved.manifest, model)
    images = given
    if not isinstance(given, ImageSet):
        origin = given or find_file(source.get("images_origin", ""), source.get("images", ""))
        images = load_set(str(origin).removeprefix(SAMPLE))
    count = min(request["count"], len(images))
    planned = plan_study(
        loaded,
        images,
        fills=request["fills"],
        order=request["order"],
        cells=request["cells"],
        grid=request["grid"],
        shares=request["shares"],
        saliency=request["saliency"]["name"],
        count=count,
        seed=request["seed"],
        **request["saliency"]["parameters"],
    )
    for name, title in _DECISIVE.items():
        check_same(title, request[name], planned.request[name])
    return planned
