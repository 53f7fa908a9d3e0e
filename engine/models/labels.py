"""The column of a table that holds the truth."""

from __future__ import annotations

import numpy as np

from engine.errors import InputError, nearest
from engine.inputs.tables import Table, shown, text_of
from engine.models.cells import read_texts, without_zeros
from engine.models.checked_cells import numbers_of
from engine.models.table_specs import TableSpec


def label_column(table: Table, spec: TableSpec, label: str | None = None) -> str | None:
    """Return the table's name for the label's column, or None where there is none.

    Args:
        table, spec: whose.
        label: a column named by the user, instead of the one of the model's card.

    Raises:
        InputError: the user named one that is not there.
    """
    wanted = label or spec.label
    if not wanted or wanted in table.columns:
        return wanted or None
    found = next((name for name in table.columns if plain_name(name) == plain_name(wanted)), None)
    if label and found is None:
        has = nearest(label, [shown(name) for name in table.columns])
        raise InputError(f"{table.name} has no column {label!r}; {has}")
    return found


def truth_of(table: Table, spec: TableSpec, label: str | None = None) -> np.ndarray | None:
    """Return what the label's column says of each row, or None where there is none.

    Args:
        table, spec, label: as in ``label_column``.

    Returns:
        Classification: int64 index of the outcome in ``spec.labels``, -1 where it is none of
        them. Regression: float64, NaN where it is empty.

    Raises:
        InputError: no such column; none of its values is an outcome, or one is no number.
    """
    name = label_column(table, spec, label)
    if name is None:
        return None
    if spec.task == "regression":
        return numbers_of(table, name, optional=True)
    index = {_label(text): place for place, text in enumerate(spec.labels)}
    texts = read_texts(table.frame[name])
    found = np.array([index.get(_label(text), -1) for text in texts], dtype=np.int64)
    if (found < 0).all():
        told = ", ".join(repr(text) for text in spec.labels)
        raise InputError(
            f"{table.name}, column {name!r}: none of its values is an outcome of the model "
            f"({told}); the first is {shown(text_of(table.frame[name].iloc[0]))!r}"
        )
    return found


def plain_name(name: str) -> str:
    """Return a name in the one way in which names are compared: "Mean_Area" is "mean area"."""
    return " ".join(str(name).lower().replace("_", " ").replace("-", " ").split())


def _label(text: str) -> str:
    """Return a label in the one way in which it is compared: "1.0" and " 1" are "1"."""
    return without_zeros(text.strip().lower())
