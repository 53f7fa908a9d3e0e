"""The plans that tests on image sets and findings about columns were computed from."""

from __future__ import annotations

from typing import Any

from engine.errors import ReplayError
from engine.evaluation.scoring import ScorePlan, plan_scores
from engine.inputs.image_sets import ImageSet
from engine.inputs.sample_tables import load_named_table
from engine.inputs.samples import SAMPLE, load_set
from engine.inputs.tables import load_table
from engine.replay.finding import check_complete, check_same, find_file, find_model
from engine.scores import Scores
from engine.table_results import Measured
from engine.tables.measuring import MeasurePlan, plan_measure

# What of a request must agree; the rest is where it is computed, and may differ.
_OF_SCORES = {
    "model": "model",
    "images": "image set",
    "preprocessing": "preprocessing",
    "classes": "list of classes",
    "dtype": "number format",
}
_OF_COLUMNS = {
    "model": "model",
    "table": "table",
    "preprocessing": "columns that are read",
    "classes": "list of classes",
    "label": "label",
    "measure": "measure, its parameters or its column",
    "target": "target",
    "output": "output",
    "rows": "number of rows",
    "seed": "seed",
    "dtype": "number format",
}


def scores_again(saved: Scores, model: Any = None, given: Any = None) -> ScorePlan:
    """Return the plan that a test of a model was computed from.

    Arguments and errors as in ``replay``; ``given`` is an image set, or where it lies.
    """
    request = check_complete(saved, _OF_SCORES)
    source = saved.manifest["source"]
    loaded = find_model(saved.manifest, model)
    images = given
    if not isinstance(given, ImageSet):
        origin = given or find_file(source.get("images_origin", ""), source.get("images", ""))
        images = load_set(str(origin).removeprefix(SAMPLE))
    planned = plan_scores(loaded, images, fit=request["preprocessing"]["fit"])
    for name, title in _OF_SCORES.items():
        check_same(title, request[name], planned.request[name])
    return planned


def columns_again(saved: Measured, model: Any = None, given: Any = None) -> MeasurePlan:
    """Return the plan that a finding about columns was computed from.

    Arguments and errors as in ``replay``; ``given`` is a table, or where it lies.
    """
    request = check_complete(saved, _OF_COLUMNS)
    source = saved.manifest["source"]
    loaded = None if request["model"] is None else find_model(saved.manifest, model)
    if loaded is None and model is not None:
        raise ReplayError("the result was made without a model; leave it out")
    where = find_file(source["table_origin"], source["table"]) if given is None else given
    table = load_named_table(where) if isinstance(where, str) else load_table(where)
    planned = plan_measure(
        loaded,
        table,
        request["measure"]["name"],
        column=request["measure"]["column"],
        label=request["label"] or _learned_label(request),
        target=None if request["target"] is None else request["target"]["index"],
        output=request["output"],
        seed=request["seed"],
        rows=request["rows"],
        **request["measure"]["parameters"],
    )
    for name, title in _OF_COLUMNS.items():
        check_same(title, request[name], planned.request[name])
    return planned


def _learned_label(request: dict[str, Any]) -> str | None:
    """Return the label's column that was left out when the columns were learned from the table."""
    return None if request["model"] else request["preprocessing"]["label"] or None
