"""The plans that scores of attention heads, and pruning curves, were computed from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.errors import ReplayError
from engine.head_results import HeadScores, PruningCurve
from engine.heads.curve import CurvePlan, plan_curve
from engine.heads.judging import plan_heads
from engine.heads.planning import HeadPlan
from engine.inputs.samples import SAMPLE, load_named, load_set
from engine.replay.finding import check_complete, check_same, find_file, find_model

# What of a request must agree; the rest is where it is computed, and may differ.
_SHARED = {
    "model": "model",
    "images": "picture or image set",
    "label": "label of the picture",
    "preprocessing": "preprocessing",
    "classes": "list of classes",
    "seed": "seed",
    "dtype": "number format",
}
_OF_SCORES = {
    **_SHARED,
    "metric": "metric or its parameters",
    "target": "target",
    "only_class": "class of the pictures",
    "keep_one": "choice of keep one",
    "exact_top": "number of heads switched off",
}
_OF_CURVES = {
    **_SHARED,
    "ranking": "ranking of the heads",
    "steps": "numbers of heads off",
    "drawn": "number of random orders",
}


def heads_again(saved: HeadScores, model: Any = None, given: Any = None) -> HeadPlan:
    """Return the plan that scores of heads were computed from; it computes all anew.

    Arguments and errors as in ``replay``; ``given`` is a picture, an image set, prepared
    inputs, or where a picture or a set lies.
    """
    request = check_complete(saved, _OF_SCORES)
    loaded = find_model(saved.manifest, model)
    planned = plan_heads(
        loaded,
        _images(saved, given),
        request["metric"]["name"],
        target=_index(request["target"]),
        only_class=_index(request["only_class"]),
        keep_one=request["keep_one"],
        exact_top=request["exact_top"],
        fit=request["preprocessing"]["fit"],
        seed=request["seed"],
        **request["metric"]["parameters"],
    )
    for name, title in _OF_SCORES.items():
        check_same(title, request[name], planned.request[name])
    return replace(planned, fresh=True)


def curve_again(saved: PruningCurve, model: Any = None, given: Any = None) -> CurvePlan:
    """Return the plan that a pruning curve was computed from.

    Arguments and errors as in ``heads_again``.
    """
    request = check_complete(saved, _OF_CURVES)
    planned = plan_curve(
        find_model(saved.manifest, model),
        _images(saved, given),
        [(layer, head) for layer, head in request["ranking"]],
        steps=request["steps"],
        drawn=request["drawn"],
        fit=request["preprocessing"]["fit"],
        seed=request["seed"],
    )
    for name, title in _OF_CURVES.items():
        check_same(title, request[name], planned.request[name])
    return planned


def _images(saved: HeadScores | PruningCurve, given: Any) -> Any:
    if given is not None and not isinstance(given, str):
        return given
    source, request = saved.manifest.get("source", {}), saved.manifest["request"]
    if given is None and not source.get("images_origin") and source.get("images") == "tensor":
        raise ReplayError("the result was made from prepared tensors; pass them in Python: given=…")
    origin = given or find_file(source.get("images_origin", ""), source.get("images", ""))
    if not request["single"]:
        return load_set(origin.removeprefix(SAMPLE))
    fit = request["preprocessing"]["fit"]
    return load_named(origin, fit="crop" if fit == "prepared" else fit)


def _index(told: dict[str, Any] | None) -> int | None:
    return None if told is None else int(told["index"])
