"""The plan that interactions were computed from."""

from __future__ import annotations

from typing import Any

from engine.inputs.sample_tables import load_named_table
from engine.inputs.samples import SAMPLE, load_named, load_set
from engine.inputs.tables import load_table
from engine.interaction_results import Interactions
from engine.interactions.picture_data import plan_picture_interactions
from engine.interactions.planning import InteractionPlan, plan_interactions
from engine.replay.finding import check_complete, check_same, find_file, find_model

# What of a request must agree; the rest is where it is computed, and may differ.
_DECISIVE = {
    "model": "model",
    "classes": "list of classes",
    "preprocessing": "preprocessing",
    "pairs": "list of pairs",
    "rate": "rate",
    "epsilon": "epsilon",
    "repeats": "number of permutations",
    "retrained": "number of models trained again",
    "seed": "seed",
    "dtype": "number format",
}
_OF_TABLES = {"table": "table", "label": "label", "rows": "number of rows"}
_OF_PICTURES = {"images": "pictures or their classes", "division": "division", "target": "target"}


def interactions_again(
    saved: Interactions, model: Any = None, given: Any = None
) -> InteractionPlan:
    """Return the plan that interactions were computed from.

    Arguments and errors as in ``replay``; ``given`` is a table, a picture, a set, or where it lies.
    """
    if "images" in saved.manifest.get("request", {}):
        return _of_pictures(saved, model, given)
    request = check_complete(saved, {**_DECISIVE, **_OF_TABLES})
    source = saved.manifest["source"]
    loaded = find_model(saved.manifest, model)
    where = find_file(source["table_origin"], source["table"]) if given is None else given
    planned = plan_interactions(
        loaded,
        load_named_table(where) if isinstance(where, str) else load_table(where),
        label=request["label"],
        rows=request["rows"],
        retrained=request["retrained"],
        **_asked(request),
    )
    return _checked(request, planned, {**_DECISIVE, **_OF_TABLES})


def _of_pictures(saved: Interactions, model: Any, given: Any) -> InteractionPlan:
    request = check_complete(saved, {**_DECISIVE, **_OF_PICTURES})
    source = saved.manifest["source"]
    loaded = find_model(saved.manifest, model)
    images = given
    if given is None or isinstance(given, str):
        origin = given or find_file(source["images_origin"], source["images"])
        images = load_set(origin.removeprefix(SAMPLE)) if source["set"] else load_named(origin)
    planned = plan_picture_interactions(
        loaded,
        images,
        target=request["target"],
        division=request["division"]["kind"],
        segments=request["division"]["segments"],
        fit=request["preprocessing"]["fit"],
        **_asked(request),
    )
    return _checked(request, planned, {**_DECISIVE, **_OF_PICTURES})


def _asked(request: dict[str, Any]) -> dict[str, Any]:
    names = ("pairs", "epsilon", "repeats", "seed")
    rate = 0.1 if request["rate"] is None else request["rate"]
    return {"rate": rate, **{name: request[name] for name in names}}


def _checked(
    request: dict[str, Any], planned: InteractionPlan, decisive: dict[str, str]
) -> InteractionPlan:
    for name, title in decisive.items():
        check_same(title, request[name], planned.request[name])
    return planned
