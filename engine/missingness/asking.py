"""From what a caller asks for to the request: all that decides the numbers of masks."""

from __future__ import annotations

import time
from typing import Any

from engine.attribution.request import identity_of
from engine.errors import ParameterError
from engine.execution.chunks import Chunks, chunk_for
from engine.execution.environment import environment
from engine.execution.passes import Passes
from engine.inputs.tables import Row
from engine.manifest import SCHEMA, versions
from engine.masking.fills.fill import Fill
from engine.masking.fills.other_rows import OtherRows
from engine.masking.fills.registry import find_fill
from engine.masking.predict import with_rows
from engine.models.loaded import Given, LoadedModel
from engine.models.table_specs import TableSpec


def request_for(
    model: LoadedModel, given: Given, kind: str, fill: Fill, **more: Any
) -> dict[str, Any]:
    """Return all that decides the numbers, ready for ``key_of``.

    Args:
        model, given, fill: what is asked about.
        kind: of the result.
        **more: what this kind of result asks beside.
    """
    fit, digest = identity_of(given)
    if isinstance(fill, OtherRows) and isinstance(given, Row) and given.table is not None:
        more = {**more, "rows": given.table.digest}
    return {
        "schema": SCHEMA,
        "kind": kind,
        "model": model.describe(),
        "preprocessing": {**model.spec.describe(), "fit": fit},
        "classes": model.classes_digest,
        "input": digest,
        "fill": fill.name,
        **more,
        "device": model.device.type,
        "dtype": model.dtype,
        "chunk": chunk_for(model),
        "versions": {**versions(), **model.packages},
    }


def suited_fill(model: LoadedModel, name: str, seed: int = 0, given: Given | None = None) -> Fill:
    """Return a fill by name, if it suits a model.

    Args:
        model: the model.
        name: of the fill.
        seed: of what it draws.
        given: the input; a row of a table lends its own table to fills that draw from rows.

    Raises:
        ParameterError: no name, or there is none of that name.
        MethodError: it does not suit the model; with the reason.
    """
    if not isinstance(name, str):
        raise ParameterError("name a fill: what is in hand has no key to be known by")
    fill = find_fill(name, seed)
    if given is not None:
        fill = with_rows(model, given, fill, None)
    fill.check_suits(model)
    return fill


def source_of(model: LoadedModel, given: Given, **more: Any) -> dict[str, Any]:
    """Return names a person would know, and where to find the input; they decide nothing."""
    changes = dict(getattr(given, "changes", {}))
    return {
        "model": model.ref,
        "model_title": model.card.title,
        "input": getattr(given, "name", "tensor"),
        "input_origin": getattr(given, "origin", ""),
        **({"input_changes": changes} if changes else {}),
        **more,
    }


def display_of(model: LoadedModel, **more: Any) -> dict[str, Any]:
    """Return what it takes to draw a result: classes, what the network saw, and more."""
    spec = model.spec
    return {
        "classes": list(model.classes),
        "size": list(spec.shape[-2:]) if len(spec.shape) == 3 else None,
        "columns": list(spec.titles) if isinstance(spec, TableSpec) else None,
        **more,
    }


def outcome_of(passes: Passes, chunks: Chunks, started: float) -> dict[str, Any]:
    """Return what happened; ``started`` is by ``time.perf_counter``."""
    return {
        "passes": {"forward": passes.used.forward, "backward": passes.used.backward},
        "seconds": time.perf_counter() - started,
        "chunk": chunks.size,
        "environment": environment(passes.model.device),
    }
