"""The plans that sweeps over ways of pruning, and geometry after pruning, were computed from."""

from __future__ import annotations

from typing import Any

from engine.inputs.image_sets import ImageSet
from engine.inputs.samples import SAMPLE, load_set
from engine.prune_results import Geometry, PruneSweep
from engine.pruning.geometry.study import GeometryPlan, plan_geometry
from engine.pruning.sweeping.planning import PrunePlan, plan_pruning
from engine.replay.finding import check_complete, check_same, find_file, find_model

# What of a request must agree; the rest is where it is computed, and may differ.
_SHARED = {
    "model": "model",
    "images": "image set",
    "calibration": "set of calibration pictures",
    "preprocessing": "preprocessing",
    "classes": "list of classes",
    "ratios": "ratios",
    "scope": "scope",
    "overrides": "ratios of single layers",
    "corruptions": "corruptions",
    "severities": "severities",
    "seed": "seed",
    "dtype": "number format",
}
_OF_SWEEPS = {
    **_SHARED,
    "criteria": "criteria",
    "repairs": "repairs",
    "draws": "number of drawings",
}
_OF_GEOMETRY = {**_SHARED, "criterion": "criterion", "repair": "repair"}


def pruning_again(saved: PruneSweep, model: Any = None, given: Any = None) -> PrunePlan:
    """Return the plan that a sweep was computed from.

    Arguments and errors as in ``replay``; ``given`` is the image set, or where it lies.
    """
    asked = check_complete(saved, _OF_SWEEPS)
    names = ("criteria", "repairs", "draws")
    planned: PrunePlan = _again(saved, model, given, plan_pruning, names)
    _check(asked, planned, _OF_SWEEPS)
    return planned


def geometry_again(saved: Geometry, model: Any = None, given: Any = None) -> GeometryPlan:
    """Return the plan that geometry after pruning was computed from; the same arguments."""
    asked = check_complete(saved, _OF_GEOMETRY)
    planned: GeometryPlan = _again(saved, model, given, plan_geometry, ("criterion", "repair"))
    _check(asked, planned, _OF_GEOMETRY)
    return planned


def _again(
    saved: PruneSweep | Geometry, model: Any, given: Any, plan: Any, names: tuple[str, ...]
) -> Any:
    asked, source = saved.manifest["request"], saved.manifest.get("source", {})
    loaded = find_model(saved.manifest, model)
    calibration = None
    if asked["calibration"] is not None:
        calibration = _set(None, source, "calibration")
    # Without corruptions no severities are noted, and none need be given.
    severities = {"severities": asked["severities"]} if asked["severities"] else {}
    return plan(
        loaded,
        _set(given, source, "images"),
        calibration=calibration,
        **{name: asked[name] for name in (*names, *_AS_ASKED)},
        **severities,
        fit=asked["preprocessing"]["fit"],
    )


_AS_ASKED = ("ratios", "scope", "overrides", "corruptions", "seed")


def _set(given: Any, source: dict[str, Any], name: str) -> Any:
    """Return an image set: the one given, or where the source says that it lies."""
    if isinstance(given, ImageSet):
        return given
    origin = given or find_file(source.get(f"{name}_origin", ""), source.get(name, ""))
    return load_set(str(origin).removeprefix(SAMPLE))


def _check(then: dict[str, Any], planned: Any, decisive: dict[str, str]) -> None:
    for name, title in decisive.items():
        check_same(title, then[name], planned.request[name])
