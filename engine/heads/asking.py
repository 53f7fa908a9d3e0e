"""From what a caller asks for to the request: all that decides the numbers of heads."""

from __future__ import annotations

from typing import Any

from engine.errors import MethodError, ParameterError
from engine.execution.chunks import chunk_for
from engine.heads.metric import HeadMetric
from engine.heads.pictures import Pictures
from engine.manifest import SCHEMA, versions
from engine.models.classes import resolve_class
from engine.models.image_labels import NONE
from engine.models.loaded import LoadedModel


def class_for(model: LoadedModel, given: int | str | None) -> int | None:
    """Return the index of a class, or None.

    Raises:
        TargetError: an unknown class.
    """
    return None if given is None else resolve_class(given, model.classes)


def check_asked(metric: HeadMetric, keep_one: bool, exact_top: int | None) -> None:
    """Check what only some metrics take.

    Raises:
        MethodError: it is not one of them.
        ParameterError: ``exact_top`` is no number of heads.
    """
    given = {"keep_one": keep_one, "exact_top": exact_top is not None}
    for name, is_given in given.items():
        if is_given and not metric.family.one_by_one:
            raise MethodError(f"{metric.title} does not switch single heads off: it has no {name}")
    whole = isinstance(exact_top, int) and not isinstance(exact_top, bool)
    if exact_top is not None and not (whole and exact_top >= 1):
        raise ParameterError(f"exact_top={exact_top!r}: expected a number of heads, 1 or more")


def check_seed(seed: Any) -> None:
    """Raise ``ParameterError`` if a seed is no whole number."""
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ParameterError(f"seed={seed!r}: expected a whole number")


def request_for(
    model: LoadedModel,
    pictures: Pictures,
    kind: str,
    seed: int,
    **more: Any,
) -> dict[str, Any]:
    """Return all that decides the numbers, ready for ``key_of``.

    Args:
        model, pictures, seed: what is asked about.
        kind: of the result.
        **more: what this kind of result asks beside.
    """
    label = int(pictures.labels[0]) if pictures.single else NONE
    return {
        "schema": SCHEMA,
        "kind": kind,
        "model": model.describe(),
        "preprocessing": {**model.spec.describe(), "fit": pictures.fit},
        "classes": model.classes_digest,
        "images": pictures.digest,
        "single": pictures.single,
        "label": named(model, None if label == NONE else label),
        **more,
        "seed": seed,
        "device": model.device.type,
        "dtype": model.dtype,
        "chunk": chunk_for(model),
        "versions": {**versions(), **model.packages},
    }


def named(model: LoadedModel, index: int | None) -> dict[str, Any] | None:
    """Return a class as manifests tell it."""
    return None if index is None else {"index": index, "name": model.classes[index]}
