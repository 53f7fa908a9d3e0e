"""From a user's table to the columns that a model reads: by name, and cell by cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError, nearest
from engine.inputs.tables import Row, Table, shown
from engine.models.cells import (
    LARGEST,
    empty_cells,
    is_empty,
    read_numbers,
    read_texts,
    without_zeros,
)
from engine.models.table_specs import Column, TableSpec

if TYPE_CHECKING:
    import pandas as pd

_SHOWN = 3


@dataclass(frozen=True, eq=False)
class Matched:
    """The part of a table that a model reads.

    Attributes:
        frame: one typed column for each of the model's, numbers as float64, categories as
            pandas categoricals.
        unused: columns of the table that the model does not read, the label not counted.
        renamed: (name in the table, name that the model knows) where they differ.
    """

    frame: pd.DataFrame
    unused: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know, in sentences."""
        notes = [f"“{shown(there)}” is read as “{shown(ours)}”" for there, ours in self.renamed]
        if self.unused:
            told = ", ".join(shown(name) for name in self.unused[:_SHOWN])
            more = f" and {len(self.unused) - _SHOWN} more" if len(self.unused) > _SHOWN else ""
            notes.append(f"not used by the model: {told}{more}")
        return tuple(notes)


def match(table: Table, spec: TableSpec) -> Matched:
    """Find a model's columns in a table and check every cell.

    Raises:
        InputError: columns that are missing; a cell that is empty, no number, or of a category
            that the model does not know: told with row and column.
    """
    import pandas as pd

    there = find_columns(table, spec)
    typed = {c.name: _typed(table, there[c.name], c) for c in spec.columns}
    used = {*there.values(), label_column(table, spec)}
    return Matched(
        pd.DataFrame(typed),
        tuple(name for name in table.columns if name not in used),
        tuple((found, name) for name, found in there.items() if found != name),
    )


def usable_rows(table: Table, spec: TableSpec) -> Table:
    """Return the rows in which every cell that the model reads can be used.

    Raises:
        InputError: columns are missing, or not one row is usable.
    """
    good = np.ones(len(table), dtype=bool)
    for column, name in zip(spec.columns, find_columns(table, spec).values(), strict=True):
        good[_bad_cells(table, name, column)] = False
    if not good.any():
        raise InputError(f"{table.name}: there is no row that the model can read")
    return table.part(np.flatnonzero(good))


def match_row(row: Row, spec: TableSpec) -> pd.DataFrame:
    """Return a single row as ``match`` does; worked out once for each row and spec.

    Raises:
        InputError: as ``match``.
    """
    known = row.memo.get("matched")
    if known is None or known[0] is not spec:
        known = row.memo["matched"] = (spec, _match_row(row, spec))
    frame: pd.DataFrame = known[1]
    return frame


def _match_row(row: Row, spec: TableSpec) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame({name: [value] for name, value in row.values.items()}, dtype=object)
    table = Table(frame, row.name)
    if row.table is not None and row.number is not None:
        table = Table(frame, row.table.name, numbers=(row.number,))
    return match(table, spec).frame


def row_columns(row: Row, spec: TableSpec) -> dict[str, str]:
    """Return a row's name for each of the model's columns.

    Raises:
        InputError: some are missing.
    """
    import pandas as pd

    return find_columns(Table(pd.DataFrame(columns=list(row.values)), row.name), spec)


def find_columns(table: Table, spec: TableSpec) -> dict[str, str]:
    """Return the table's name for each of the model's columns.

    Raises:
        InputError: some are missing; all are told.
    """
    exact = set(table.columns) & set(spec.names)
    by_plain: dict[str, str] = {}
    for name in table.columns:
        if name not in exact:
            by_plain.setdefault(_plain(name), name)
    # Taken out once it is found: no column of the table is read twice.
    found = {n: n if n in exact else by_plain.pop(_plain(n), None) for n in spec.names}
    missing = [name for name, there in found.items() if there is None]
    if missing:
        told = ", ".join(repr(name) for name in missing[:6])
        more = f" and {len(missing) - 6} more" if len(missing) > 6 else ""
        columns = "column" if len(missing) == 1 else "columns"
        has = nearest(missing[0], [shown(name) for name in table.columns])
        raise InputError(f"{table.name} lacks the {columns} {told}{more}; {has}")
    return {name: there for name, there in found.items() if there is not None}


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
    found = next((name for name in table.columns if _plain(name) == _plain(wanted)), None)
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
            f"({told}); the first is {str(table.frame[name].iloc[0])!r}"
        )
    return found


def numbers_of(table: Table, name: str, *, optional: bool = False) -> np.ndarray:
    """Return a column as float64 ``(n,)``; NaN where it is empty, if it may be.

    Raises:
        InputError: a cell that is no number, or empty; told with its row.
    """
    values, wrong = _read_numbers(table.frame[name], optional=optional)
    if len(wrong):
        told = "no number" if np.isnan(values[wrong[0]]) else "too large a number"
        raise InputError(_cell_told(table, name, wrong, told))
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


def _bad_cells(table: Table, name: str, column: Column) -> np.ndarray:
    """Return the places of the cells of a column that cannot be used, int64."""
    cells = table.frame[name]
    if column.kind == "number":
        return _read_numbers(cells, optional=column.optional)[1]
    return _read_categories(cells, column)[1]


def _typed(table: Table, name: str, column: Column) -> np.ndarray | pd.Categorical:
    if column.kind == "number":
        return numbers_of(table, name, optional=column.optional)
    found, wrong = _read_categories(table.frame[name], column)
    if len(wrong):
        known = ", ".join(shown(name) for name in column.categories[:8])
        known += " …" if len(column.categories) > 8 else ""
        told = f"not among the categories the model knows ({known})"
        raise InputError(_cell_told(table, name, wrong, told))
    return found


def _cell_told(table: Table, name: str, places: np.ndarray, wrong: str) -> str:
    """Say what is wrong with cells: the first with row and column, the others by number."""
    first = int(places[0])
    cell = table.frame[name].iloc[first]
    told = "the cell is empty" if is_empty(cell) else f"{str(cell)[:40]!r} is {wrong}"
    rows = "row" if len(places) == 2 else "rows"
    more = f" (and {len(places) - 1} more {rows} of this column)" if len(places) > 1 else ""
    alone = len(table) == 1 and not table.numbers
    where = "" if alone else f"row {table.number_of(first)}, "
    return f"{table.name}, {where}column {name!r}: {told}{more}"


def _plain(name: str) -> str:
    return " ".join(str(name).lower().replace("_", " ").replace("-", " ").split())


def _label(text: str) -> str:
    """Return a label in the one way in which it is compared: "1.0" and " 1" are "1"."""
    return without_zeros(text.strip().lower())
