"""From what a caller asks for to the request: all that decides the numbers of masks."""

from __future__ import annotations

from typing import Any

from engine.attribution.request import identity_of
from engine.errors import MethodError, ParameterError
from engine.execution.chunks import chunk_for
from engine.manifest import SCHEMA, versions
from engine.masking.fills.fill import Fill
from engine.masking.fills.registry import find_fill
from engine.models.loaded import Given, LoadedModel


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


def suited_fill(model: LoadedModel, name: str) -> Fill:
    """Return a fill by name, if it suits a model.

    Raises:
        ParameterError: no name, or there is none of that name.
        MethodError: it does not suit the model; with the reason.
    """
    if not isinstance(name, str):
        raise ParameterError("name a fill: what is in hand has no key to be known by")
    fill = find_fill(name)
    refusal = fill.refusal(model)
    if refusal:
        raise MethodError(refusal)
    return fill


def source_of(model: LoadedModel, given: Given, **more: Any) -> dict[str, Any]:
    """Return names a person would know, and where to find the input; they decide nothing."""
    return {
        "model": model.ref,
        "model_title": model.card.title,
        "input": getattr(given, "name", "tensor"),
        "input_origin": getattr(given, "origin", ""),
        **more,
    }
