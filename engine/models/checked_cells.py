"""The cells of a column as a model reads them; what cannot be used is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError
from engine.inputs.tables import Table, shown, text_of
from engine.models.cells import (
    LARGEST,
    empty_cells,
    is_empty,
    read_numbers,
    read_texts,
    without_zeros,
)
from engine.models.columns import Column

if TYPE_CHECKING:
    import pandas as pd


def numbers_of(table: Table, name: str, *, optional: bool = False) -> np.ndarray:
    """Return a column as float64 ``(n,)``; NaN where it is empty, if it may be.

    Raises:
        InputError: a cell that is no number, or empty; told with its row.
    """
    values, wrong = _read_numbers(table.frame[name], optional=optional)
    if len(wrong):
        told = "no number" if np.isnan(values[wrong[0]]) else "too large a number"
        raise InputError(_told(table, name, wrong, told))
    return values


def _read_numbers(cells: pd.Series, *, optional: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return a column as float64, and the places of the cells that cannot be used."""
    values = read_numbers(cells)
    wrong = np.flatnonzero(~(np.abs(values) <= LARGEST))
    if optional and len(wrong):
        wrong = wrong[~empty_cells(cells.iloc[wrong])]
    return values, wrong


def _read_categories(cells: pd.Series, column: Column) -> tuple[pd.Categorical, np.ndarray]:
    """Return a column as categories, and the places of the cells that cannot be used."""
    import pandas as pd

    names = list(column.categories)
    # "1.0" is the category "1", and "1" the category "1.0".
    places = {without_zeros(name): place for place, name in enumerate(names)}
    places |= {name: place for place, name in enumerate(names)}
    texts = read_texts(cells)
    codes = [places.get(text, places.get(without_zeros(text), -1)) for text in texts]
    found = pd.Categorical.from_codes(np.array(codes, dtype=np.int64), categories=names)
    wrong = np.flatnonzero(found.codes < 0)
    if column.optional and len(wrong):
        wrong = wrong[~empty_cells(cells.iloc[wrong])]
    return found, wrong


def bad_cells(table: Table, name: str, column: Column) -> np.ndarray:
    """Return the places of the cells of a column that cannot be used, int64."""
    cells = table.frame[name]
    if column.kind == "number":
        return _read_numbers(cells, optional=column.optional)[1]
    return _read_categories(cells, column)[1]


def typed(table: Table, name: str, column: Column) -> np.ndarray | pd.Categorical:
    """Return a column as the model reads it: float64, or categories.

    Raises:
        InputError: a cell that cannot be used; told with its row.
    """
    if column.kind == "number":
        return numbers_of(table, name, optional=column.optional)
    found, wrong = _read_categories(table.frame[name], column)
    if len(wrong):
        known = ", ".join(shown(name) for name in column.categories[:8])
        known += " …" if len(column.categories) > 8 else ""
        told = f"not among the categories the model knows ({known})"
        raise InputError(_told(table, name, wrong, told))
    return found


def _told(table: Table, name: str, places: np.ndarray, wrong: str) -> str:
    """Say what is wrong with cells: the first with row and column, the others by number."""
    first = int(places[0])
    cell = table.frame[name].iloc[first]
    as_text = text_of(cell) if isinstance(cell, int) else str(cell)
    told = "the cell is empty" if is_empty(cell) else f"{as_text[:40]!r} is {wrong}"
    rows = "row" if len(places) == 2 else "rows"
    more = f" (and {len(places) - 1} more {rows} of this column)" if len(places) > 1 else ""
    alone = len(table) == 1 and not table.numbers
    where = "" if alone else f"row {table.number_of(first)}, "
    return f"{table.name}, {where}column {name!r}: {told}{more}"
