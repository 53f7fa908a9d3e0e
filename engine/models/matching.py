"""From a user's table to the columns that a model reads: by name, and cell by cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError, nearest
from engine.inputs.tables import MISSING, Row, Table
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
        notes = [f"“{there}” is read as “{ours}”" for there, ours in self.renamed]
        if self.unused:
            shown = ", ".join(self.unused[:_SHOWN])
            more = f" and {len(self.unused) - _SHOWN} more" if len(self.unused) > _SHOWN else ""
            notes.append(f"not used by the model: {shown}{more}")
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


def match_row(row: Row, spec: TableSpec) -> pd.DataFrame:
    """Return a single row as ``match`` does.

    Raises:
        InputError: as ``match``.
    """
    import pandas as pd

    frame = pd.DataFrame({name: [value] for name, value in row.values.items()}, dtype=object)
    number = row.number or 1
    name = row.table.name if row.table is not None else row.name
    return match(Table(frame, name, numbers=(number,)), spec).frame


def find_columns(table: Table, spec: TableSpec) -> dict[str, str]:
    """Return the table's name for each of the model's columns.

    Raises:
        InputError: some are missing; all are told.
    """
    by_plain: dict[str, str] = {}
    for name in table.columns:
        by_plain.setdefault(_plain(name), name)
    exact = set(table.columns)
    found = {n: n if n in exact else by_plain.get(_plain(n)) for n in spec.names}
    missing = [name for name, there in found.items() if there is None]
    if missing:
        told = ", ".join(repr(name) for name in missing[:6])
        more = f" and {len(missing) - 6} more" if len(missing) > 6 else ""
        has = nearest(missing[0], table.columns)
        raise InputError(f"{table.name} lacks the column {told}{more}; of {missing[0]!r}: {has}")
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
    found = next((n for n in table.columns if wanted and _plain(n) == _plain(wanted)), None)
    if label and found is None:
        raise InputError(f"{table.name} has no column {label!r}; {nearest(label, table.columns)}")
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
    cells = [_label(str(cell)) for cell in table.frame[name]]
    found = np.array([index.get(cell, -1) for cell in cells], dtype=np.int64)
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
    import pandas as pd

    cells = table.frame[name]
    if cells.dtype.kind in "iufb":
        values = cells.to_numpy(np.float64)
    else:
        values = pd.to_numeric(cells.astype(object), errors="coerce").to_numpy(np.float64)
    bad = ~np.isfinite(values)
    if bad.any():
        texts = cells[bad].astype(object)
        empty = np.array([_is_empty(cell) for cell in texts])
        wrong = np.flatnonzero(bad)[~(empty & optional)]
        if len(wrong):
            raise InputError(_cell_told(table, name, wrong, "no number"))
    return values


def _typed(table: Table, name: str, column: Column) -> np.ndarray | pd.Categorical:
    import pandas as pd

    if column.kind == "number":
        return numbers_of(table, name, optional=column.optional)
    texts = _texts(table.frame[name])
    found = pd.Categorical(texts, categories=list(column.categories))
    unknown = np.flatnonzero(found.codes < 0)
    if column.optional:
        unknown = np.array([i for i in unknown if not _is_empty(texts[i])], dtype=np.int64)
    if len(unknown):
        known = ", ".join(column.categories[:8]) + (" …" if len(column.categories) > 8 else "")
        told = f"not among the categories the model knows ({known})"
        raise InputError(_cell_told(table, name, unknown, told))
    return found


def _texts(cells: pd.Series) -> np.ndarray:
    return np.array([_text(cell) for cell in cells], dtype=object)


def _text(cell: object) -> str:
    """Return a cell as text; whole numbers without a point, so that 1.0 is the category "1"."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None or cell != cell else str(cell).strip()  # noqa: PLR0124  (NaN)


def _cell_told(table: Table, name: str, places: np.ndarray, wrong: str) -> str:
    """Say what is wrong with cells: the first with row and column, the others by number."""
    first = int(places[0])
    cell = table.frame[name].iloc[first]
    shown = "empty" if _is_empty(cell) else f"{str(cell)[:40]!r} is {wrong}"
    more = f" (and {len(places) - 1} more rows of this column)" if len(places) > 1 else ""
    where = f"row {table.number_of(first)}, column {name!r}"
    return f"{table.name}, {where}: {'the cell is ' if shown == 'empty' else ''}{shown}{more}"


def _is_empty(cell: object) -> bool:
    if cell is None or (isinstance(cell, float) and np.isnan(cell)):
        return True
    return str(cell).strip().lower() in MISSING


def _plain(name: str) -> str:
    return " ".join(str(name).lower().replace("_", " ").replace("-", " ").split())


def _label(text: str) -> str:
    """Return a label in the one way in which it is compared: "1.0" and " 1" are "1"."""
    plain = text.strip().lower()
    return plain.removesuffix(".0") if plain.removesuffix(".0").lstrip("-").isdecimal() else plain
