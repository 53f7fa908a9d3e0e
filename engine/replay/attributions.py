"""The plan that a saved attribution was computed from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from engine.attribution.explain import Plan, plan
from engine.errors import ReplayError
from engine.inputs.arrays import ArrayInput, load_array
from engine.inputs.images import ImageInput, load_image
from engine.inputs.sample_tables import load_named_row
from engine.inputs.samples import SAMPLE, load_named, load_set
from engine.inputs.tables import Row, as_row, load_table
from engine.models.loaded import Given, ModelInput
from engine.replay.finding import check_complete, check_same, find_file, find_model
from engine.results import Attribution, Manifest

# What of a request must agree; the rest is where it is computed, and may differ.
_DECISIVE = {
    "model": "model",
    "input": "input",
    "preprocessing": "preprocessing",
    "classes": "list of classes",
    "method": "method or its parameters",
    "background": "background",
    "data": "data",
    "target": "target",
    "versus": "versus",
    "output": "output",
    "seed": "seed",
    "dtype": "number format",
}


def plan_again(
    saved: Attribution,
    model: Any = None,
    given: ModelInput | None = None,
    background: Any = None,
) -> Plan:
    """Return the plan that a saved result was computed from.

    Arguments and errors as in ``replay``.
    """
    request = check_complete(saved, _DECISIVE)
    loaded = find_model(saved.manifest, model)
    found = input_again(saved.manifest, given)
    if request["background"] is not None and background is None:
        background = _background(saved.manifest, found)
    planned = plan(
        loaded,
        found,
        request["method"]["name"],
        request["target"]["index"],
        versus=(request["versus"] or {}).get("index"),
        output=request["output"],
        background=background,
        seed=request["seed"],
        **request["method"]["parameters"],
    )
    for name, title in _DECISIVE.items():
        check_same(title, request[name], planned.request[name])
    return planned


def input_again(manifest: Manifest, given: ModelInput | None) -> Given:
    """Return the input of a result, or the one given instead.

    Raises:
        ReplayError: it was only in memory, or is not there any more.
        InputError: it cannot be read.
    """
    fit = manifest["request"]["preprocessing"]["fit"]
    if isinstance(given, torch.Tensor | Row):
        return given
    if fit == "row":
        return _row(manifest, given)
    if fit == "prepared":
        return _array(manifest, given)
    if given is None:
        given = _origin(manifest)
    if isinstance(given, ImageInput):
        return given.with_fit(fit)
    if isinstance(given, str):
        return load_named(given, fit=fit)
    return load_image(given, fit=fit)  # type: ignore[arg-type]


def _array(manifest: Manifest, given: Any) -> ArrayInput:
    if isinstance(given, ArrayInput):
        return given
    origin = manifest.get("source", {}).get("input_origin", "")
    if given is None and not origin:
        raise ReplayError(
            "the result was made from a prepared tensor; pass it in Python as given=…, or name "
            "its NumPy file"
        )
    return load_array(_origin(manifest) if given is None else given)


def _row(manifest: Manifest, given: Any) -> Row:
    if isinstance(given, Mapping):
        return as_row(given)
    if given is not None:
        return load_named_row(str(given))
    row = load_named_row(_origin(manifest))
    changes = manifest["source"].get("input_changes", {})
    return row.changed(**changes) if changes else row


def _origin(manifest: Manifest) -> str:
    source = manifest.get("source", {})
    origin = source.get("input_origin", "")
    return find_file(origin, source.get("input", ""), of_row=_is_row(manifest))


def _background(manifest: Manifest, given: Given) -> Any:
    """Return what a result compares with; None for a row that is compared with its own table."""
    own = given.table if isinstance(given, Row) else None
    if own is not None and own.digest == manifest["request"]["background"]:
        return None
    origin = manifest.get("source", {}).get("background_origin", "")
    if not origin:
        raise ReplayError("the result compares with a background; pass it in Python: background=…")
    there = find_file(origin, "background")
    return load_table(there) if _is_row(manifest) else load_set(there.removeprefix(SAMPLE))


def _is_row(manifest: Manifest) -> bool:
    return bool(manifest["request"]["preprocessing"]["fit"] == "row")
