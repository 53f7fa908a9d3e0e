"""The plans that previews of masks, and sweeps over a map's top, were computed from."""

from __future__ import annotations

from typing import Any

from engine.mask_results import MaskPreview, MaskSweep
from engine.missingness.preview import plan_preview
from engine.missingness.previewing import PreviewPlan
from engine.missingness.sweep import plan_sweep
from engine.missingness.sweeping import SweepPlan
from engine.replay.attributions import input_again
from engine.replay.finding import check_complete, check_same, find_model

# What of a request must agree; the rest is where it is computed, and may differ.
_OF_BOTH = {
    "model": "model",
    "input": "input",
    "preprocessing": "preprocessing",
    "classes": "list of classes",
    "fill": "fill",
    "seed": "seed",
    "dtype": "number format",
}
_OF_PREVIEWS = {
    **_OF_BOTH,
    "generator": "generator or its parameters",
    "grid": "grid",
    "hidden": "share to hide",
    "count": "number of masks",
    "guide": "guide",
}
_OF_SWEEPS = {
    **_OF_BOTH,
    "order": "order of the pixels",
    "levels": "number of levels",
    "direction": "direction",
}


def preview_again(saved: MaskPreview, model: Any = None, given: Any = None) -> PreviewPlan:
    """Return the plan that a preview of masks was computed from.

    A guide that was given is in the result; a named one is found anew. Arguments and errors as
    in ``replay``.
    """
    request = check_complete(saved, _OF_PREVIEWS)
    loaded = find_model(saved.manifest, model)
    told = request["guide"]
    name = None if told is None else told["name"]
    planned = plan_preview(
        loaded,
        input_again(saved.manifest, given),
        request["generator"]["name"],
        request["hidden"],
        request["fill"],
        seed=request["seed"],
        count=request["count"],
        grid=tuple(request["grid"]),
        guide=saved.guide if name == "given" else name,
        **request["generator"]["parameters"],
    )
    _check(_OF_PREVIEWS, request, planned.request)
    return planned


def sweep_again(saved: MaskSweep, model: Any = None, given: Any = None) -> SweepPlan:
    """Return the plan that a sweep was computed from; the map's order is in the result.

    Arguments and errors as in ``replay``.
    """
    request = check_complete(saved, _OF_SWEEPS)
    loaded = find_model(saved.manifest, model)
    planned = plan_sweep(
        loaded,
        input_again(saved.manifest, given),
        -saved.order,
        request["fill"],
        levels=request["levels"],
        direction=request["direction"],
        seed=request["seed"],
    )
    _check(_OF_SWEEPS, request, planned.request)
    return planned


def _check(decisive: dict[str, str], then: dict[str, Any], now: dict[str, Any]) -> None:
    for name, title in decisive.items():
        check_same(title, _apart_from_place(then[name]), _apart_from_place(now[name]))


def _apart_from_place(told: Any) -> Any:
    """Leave out the key of a guide's map: it tells the versions and the device as well."""
    if not isinstance(told, dict):
        return told
    return {name: value for name, value in told.items() if name != "key"}
