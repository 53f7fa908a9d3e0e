"""The plans that studies of missing parts, and probes of fills, were computed from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.inputs.image_sets import ImageSet
from engine.inputs.samples import SAMPLE, load_set
from engine.mask_results import LimeByFill, Linearity, MissingnessStudy, ShapeLeak
from engine.missingness.lime_by_fill import plan_lime
from engine.missingness.linearity import plan_linearity
from engine.missingness.probe import Probe
from engine.missingness.shape_leak import plan_shape_leak
from engine.missingness.study import StudyPlan
from engine.missingness.study_asking import plan_study
from engine.replay.finding import check_complete, check_same, find_file, find_model
from engine.results import Result

# What of a request must agree; the rest is where it is computed, and may differ.
_OF_ALL = {
    "model": "model",
    "images": "image set",
    "preprocessing": "preprocessing",
    "classes": "list of classes",
    "count": "number of pictures",
    "fills": "list of fills",
    "seed": "seed",
    "dtype": "number format",
}
_OF_STUDIES = {
    **_OF_ALL,
    "cells": "kind of cells",
    "grid": "grid of blocks",
    "order": "order",
    "saliency": "saliency method",
    "shares": "list of shares",
}
# What a probe asks beside what all ask, and how it is planned.
_PROBES: dict[type[Result], tuple[tuple[str, ...], Callable[..., Probe]]] = {
    ShapeLeak: ((), plan_shape_leak),
    Linearity: (("grid",), plan_linearity),
    LimeByFill: (("samples", "segments"), plan_lime),
}
PROBED = tuple(_PROBES)


def study_again(saved: MissingnessStudy, model: Any = None, given: Any = None) -> StudyPlan:
    """Return the plan that a study was computed from.

    Arguments and errors as in ``replay``; ``given`` is an image set, or where it lies.
    """
    request = check_complete(saved, _OF_STUDIES)
    loaded, images = find_model(saved.manifest, model), _images(saved, given)
    planned = plan_study(
        loaded,
        images,
        fills=request["fills"],
        order=request["order"],
        cells=request["cells"],
        grid=request["grid"],
        shares=request["shares"],
        saliency=request["saliency"]["name"],
        count=min(request["count"], len(images)),
        seed=request["seed"],
        **request["saliency"]["parameters"],
    )
    for name, title in _OF_STUDIES.items():
        check_same(title, request[name], planned.request[name])
    return planned


def probe_again(saved: Result, model: Any = None, given: Any = None) -> Probe:
    """Return the plan that a probe of fills was computed from; as ``study_again``."""
    names, plan = _PROBES[type(saved)]
    decisive = {**_OF_ALL, **{name: f"number of {name}" for name in names}}
    request = check_complete(saved, decisive)
    loaded, images = find_model(saved.manifest, model), _images(saved, given)
    planned = plan(
        loaded,
        images,
        fills=request["fills"],
        count=min(request["count"], len(images)),
        seed=request["seed"],
        **{name: request[name] for name in names},
    )
    for name, title in decisive.items():
        check_same(title, request[name], planned.request[name])
    return planned


def _images(saved: Result, given: Any) -> ImageSet:
    if isinstance(given, ImageSet):
        return given
    source = saved.manifest["source"]
    origin = given or find_file(source.get("images_origin", ""), source.get("images", ""))
    return load_set(str(origin).removeprefix(SAMPLE))
