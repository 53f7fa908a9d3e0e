"""What a table's columns are, where no card says it: learned from the table itself."""

from __future__ import annotations

import numpy as np

from engine.errors import InputError
from engine.inputs.tables import MISSING, Table
from engine.models.matching import label_column, numbers_of
from engine.models.table_specs import Column, TableSpec

MAX_CATEGORIES = 200
_MAX_CLASSES = 20


def learn_columns(table: Table, label: str | None = None) -> TableSpec:
    """Return a spec for a model that was trained on a table like this one.

    A column whose filled cells are all numbers is a number, any other a category.

    Args:
        table: rows like those the model was trained on; mean and spread are taken from it.
        label: the column that holds the truth; it is no input.

    Raises:
        InputError: no such label, or a text column with too many different values.
    """
    name = label_column(table, TableSpec((Column("-"),)), label)
    columns = tuple(_learned(table, column) for column in table.columns if column != name)
    if not columns:
        raise InputError(f"{table.name} has no column but the label")
    if name is None:
        return TableSpec(columns)
    told = _learned(table, name, check=False)
    values = _filled(table, name)
    if told.kind == "number" and len(np.unique(values)) > _MAX_CLASSES:
        return TableSpec(columns, label=name, task="regression")
    labels = tuple(_whole(value) for value in sorted(set(values.tolist())))
    return TableSpec(columns, label=name, labels=labels)


def _learned(table: Table, name: str, *, check: bool = True) -> Column:
    filled = _filled(table, name)
    optional = len(filled) < len(table)
    if not len(filled):
        raise InputError(f"{table.name}: column {name!r} is empty in every row")
    try:
        values = filled.astype(np.float64)
    except ValueError:
        return _category(table, name, filled, optional, check)
    if not np.isfinite(values).all():
        numbers_of(table, name, optional=True)  # says which cell is no number
    spread = float(values.std())
    return Column(
        name,
        mean=float(values.mean()),
        std=spread or 1.0,
        low=float(values.min()),
        high=float(values.max()),
        whole=bool((values % 1 == 0).all()),
        optional=optional,
    )


def _category(table: Table, name: str, filled: np.ndarray, optional: bool, check: bool) -> Column:
    texts = np.array([str(cell).strip() for cell in filled])
    names, counts = np.unique(texts, return_counts=True)
    if check and len(names) > MAX_CATEGORIES:
        raise InputError(
            f"{table.name}: column {name!r} has {len(names)} different texts, too many for a "
            f"category (up to {MAX_CATEGORIES}); leave it out of the table"
        )
    shares = tuple(float(share) for share in counts / counts.sum())
    return Column(name, "category", tuple(names.tolist()), shares=shares, optional=optional)


def _filled(table: Table, name: str) -> np.ndarray:
    cells = table.frame[name].astype(object).to_numpy()
    return np.array([c for c in cells if str(c).strip().lower() not in MISSING], dtype=object)


def _whole(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
