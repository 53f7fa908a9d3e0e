"""Whether the values of a label's column suit a model's outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from engine.errors import ModelError
from engine.models.table_specs import TableSpec

# A column that holds one of two such words holds the other where it is longer.
_PAIRS = (
    ("0", "1"),
    ("false", "true"),
    ("no", "yes"),
    ("n", "y"),
    ("f", "t"),
    ("negative", "positive"),
)


def fit_labels(spec: TableSpec, classes: Sequence[str]) -> tuple[TableSpec, tuple[str, ...]]:
    """Return columns whose labels suit a model's classes, and what a person should know.

    Labels that are names of its classes stand in the order of those. One output whose label
    holds more than two numbers is a regression; a single value of a pair like "no" and "yes"
    stands for both, any other single value for none (our definition).

    Raises:
        ModelError: another number of labels than of outcomes.
    """
    outputs, count = len(classes), len(spec.labels)
    outcomes = max(2, outputs)
    if spec.task == "regression" or not count:
        return spec, ()
    if outputs > 1 and set(spec.labels) <= set(classes):
        return replace(spec, labels=tuple(classes)), ()
    if count == outcomes:
        return spec, ()
    if count == 1:
        return _of_one(spec, outcomes)
    column = f"the column {spec.label!r}" if spec.label else "the label"
    if outputs == 1 and all(map(_is_number, spec.labels)):
        told = f"one output, and {count} different numbers in {column}: read as a regression"
        return replace(spec, labels=(), task="regression"), (told,)
    made = "1 output (2 outcomes)" if outputs == 1 else f"{outputs} outputs"
    raise ModelError(f"{column} holds {count} different values, but the model has {made}")


def with_labels(spec: TableSpec, classes: Sequence[str]) -> TableSpec:
    """Return columns that say what stands in the label's column for each outcome.

    A model that does not say it is taken to mean its class names; of one logit "0" and "1" (our
    definition).
    """
    if spec.labels or spec.task == "regression":
        return spec
    return replace(spec, labels=tuple(classes) if len(classes) > 1 else ("0", "1"))


def _of_one(spec: TableSpec, outcomes: int) -> tuple[TableSpec, tuple[str, ...]]:
    only = spec.labels[0]
    pair = next((pair for pair in _PAIRS if only.lower() in pair), None)
    if pair is not None and outcomes == 2:
        return replace(spec, labels=pair), ()
    column = f"the column {spec.label!r}" if spec.label else "the label"
    told = f"{column} holds nothing but {only!r}, so it is not known which outcome that is"
    return replace(spec, labels=()), (told,)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
