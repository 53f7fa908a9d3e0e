"""The plan that interactions were computed from."""

from __future__ import annotations

from typing import Any

from engine.inputs.sample_tables import load_named_table
from engine.inputs.tables import load_table
from engine.interaction_results import Interactions
from engine.interactions.planning import InteractionPlan, plan_interactions
from engine.replay.finding import check_complete, check_same, find_file, find_model

# What of a request must agree; the rest is where it is computed, and may differ.
_DECISIVE = {
    "model": "model",
    "classes": "list of classes",
    "preprocessing": "columns that are read",
    "table": "table",
    "label": "label",
    "rows": "number of rows",
    "pairs": "list of pairs",
    "rate": "rate",
    "epsilon": "epsilon",
    "repeats": "number of permutations",
    "retrained": "number of models trained again",
    "seed": "seed",
    "dtype": "number format",
}


def interactions_again(
    saved: Interactions, model: Any = None, given: Any = None
) -> InteractionPlan:
    """Return the plan that interactions were computed from.

    Arguments and errors as in ``replay``; ``given`` is a table, or where it lies.
    """
    request = check_complete(saved, _DECISIVE)
    source = saved.manifest["source"]
    loaded = find_model(saved.manifest, model)
    where = find_file(source["table_origin"], source["table"]) if given is None else given
    planned = plan_interactions(
        loaded,
        load_named_table(where) if isinstance(where, str) else load_table(where),
        label=request["label"],
        pairs=request["pairs"],
        rate=0.1 if request["rate"] is None else request["rate"],
        epsilon=request["epsilon"],
        repeats=request["repeats"],
        rows=request["rows"],
        seed=request["seed"],
        retrained=request["retrained"],
    )
    for name, title in _DECISIVE.items():
        check_same(title, request[name], planned.request[name])
    return planned
