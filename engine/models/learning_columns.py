"""What a table's columns are, where no card says it: learned from the table itself."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError
from engine.inputs.tables import Table, text_of
from engine.models.cells import LARGEST, empty_cells, read_numbers, read_texts
from engine.models.checked_cells import numbers_of
from engine.models.labels import label_column
from engine.models.table_specs import Column, TableSpec

if TYPE_CHECKING:
    import pandas as pd

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
    labels = _labels(_filled(table, name))
    if labels is None:
        return TableSpec(columns, label=name, task="regression")
    return TableSpec(columns, label=name, labels=labels)


def _labels(cells: pd.Series) -> tuple[str, ...] | None:
    """Return the different texts of a label, numbers in their order; None of a regression."""
    texts, numbers = read_texts(cells), read_numbers(cells)
    if np.isnan(numbers).any():
        return tuple(sorted(set(texts)))
    found = {number: _name_of(text, number) for text, number in zip(texts, numbers, strict=True)}
    if len(found) > _MAX_CLASSES:
        return None
    return tuple(found[number] for number in sorted(found))


def _name_of(text: str, number: float) -> str:
    """Return "1" for "1.0" and "01", but "True" for "True"."""
    return text if text.isalpha() else text_of(number)


def _learned(table: Table, name: str) -> Column:
    filled = _filled(table, name)
    optional = len(filled) < len(table)
    values = read_numbers(filled)
    if np.isnan(values).any():
        return _category(table, name, filled, optional)
    if (np.abs(values) > LARGEST).any():
        numbers_of(table, name, optional=True)  # says which cell it is
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


def _category(table: Table, name: str, cells: pd.Series, optional: bool) -> Column:
    texts = read_texts(cells)
    names, counts = np.unique(texts, return_counts=True)
    if len(names) > MAX_CATEGORIES:
        raise InputError(
            f"{table.name}: column {name!r} has {len(names)} different texts, too many for a "
            f"category (up to {MAX_CATEGORIES}); leave it out of the table"
        )
    shares = tuple(float(share) for share in counts / counts.sum())
    plain = tuple(names.tolist())
    written = _written(plain, cells, texts)
    return Column(name, "category", plain, shares=shares, optional=optional, written=written)


def _written(names: tuple[str, ...], cells: pd.Series, texts: np.ndarray) -> tuple[str, ...]:
    """Return how each category stands there, of several ways the commonest; () if as it is."""
    raw = [cell if isinstance(cell, str) else text for cell, text in zip(cells, texts, strict=True)]
    counts = Counter(zip(texts, raw, strict=True))
    ways = {name: (name, counts[name, name]) for name in names}
    for (name, way), count in counts.items():
        if count > ways[name][1]:
            ways[name] = (way, count)
    found = tuple(ways[name][0] for name in names)
    return () if found == names else found


def _filled(table: Table, name: str) -> pd.Series:
    """Return the cells of a column in which something stands.

    Raises:
        InputError: nothing stands in any.
    """
    cells = table.frame[name]
    found = cells[~empty_cells(cells)]
    if not len(found):
        raise InputError(f"{table.name}: column {name!r} is empty in every row")
    return found
