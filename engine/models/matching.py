"""From a user's table to the columns that a model reads: by name, and cell by cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError, nearest
from engine.inputs.tables import Row, Table, shown
from engine.models.checked_cells import bad_cells, typed
from engine.models.labels import label_column, plain_name
from engine.models.table_specs import TableSpec

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
    cells = {c.name: typed(table, there[c.name], c) for c in spec.columns}
    used = {*there.values(), label_column(table, spec)}
    return Matched(
        pd.DataFrame(cells),
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
        good[bad_cells(table, name, column)] = False
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
            by_plain.setdefault(plain_name(name), name)
    # Taken out once it is found: no column of the table is read twice.
    found = {n: n if n in exact else by_plain.pop(plain_name(n), None) for n in spec.names}
    missing = [name for name, there in found.items() if there is None]
    if missing:
        told = ", ".join(repr(name) for name in missing[:6])
        more = f" and {len(missing) - 6} more" if len(missing) > 6 else ""
        columns = "column" if len(missing) == 1 else "columns"
        has = nearest(missing[0], [shown(name) for name in table.columns])
        raise InputError(f"{table.name} lacks the {columns} {told}{more}; {has}")
    return {name: there for name, there in found.items() if there is not None}
