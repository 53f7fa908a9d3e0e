"""Tables: columns by name, rows counted from 1, each row an input of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import InputError, nearest
from engine.manifest import digest_of

if TYPE_CHECKING:
    import pandas as pd

# How a cell says that there is nothing in it.
MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "<na>"})


@dataclass(frozen=True, eq=False)
class Table:
    """Rows and columns as they were read; what they mean is the model's business.

    Attributes:
        frame: a pandas frame with the rows in order, index 0 … n − 1; cells are numbers or
            text. Not to be changed.
        name: how the user knows it.
        origin: where it can be found again: its path as it was given, or "sample:cancer";
            empty for what is only in memory.
        notes: what was done on the way in ("read as Windows-1252").
        numbers: for a part of a table, the number of each row in the whole; else empty.
        in_hand: it was a pandas frame, whose cells are what their owner meant them to be.
    """

    frame: pd.DataFrame
    name: str
    origin: str = ""
    notes: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()
    in_hand: bool = False

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(self.frame.columns)

    @cached_property
    def digest(self) -> str:
        """Digest of columns, cells and row numbers (sha256, hex), not of name and origin."""
        # Columns are hashed one by one: their kinds and order belong to the content.
        numbers = self.numbers or range(1, len(self) + 1)  # a part of all rows is the whole
        parts = [str(len(self.frame)).encode(), np.asarray(numbers, np.int64).tobytes()]
        for name in self.frame.columns:
            parts += [name.encode("utf-8", "surrogatepass"), _hashed(self.frame[name])]
        return digest_of(*parts)

    def number_of(self, index: int) -> int:
        """Return the number of a row, counted from 1 in the whole table, by its place here."""
        return self.numbers[index] if self.numbers else index + 1

    def place_of(self, number: int) -> int:
        """Return the place from 0 of the row of a number, or of the next one that is there."""
        if not self.numbers:
            return min(max(0, number - 1), len(self) - 1)
        found = int(np.searchsorted(np.asarray(self.numbers), number))
        return min(found, len(self) - 1)

    def row(self, number: int) -> Row:
        """Return a row by its number, the first being 1.

        Raises:
            InputError: there is no such row.
        """
        if isinstance(number, bool) or not isinstance(number, int | np.integer):
            raise InputError(f"row {number!r}: expected a whole number, the first row being 1")
        if not 1 <= number <= len(self):
            raise InputError(f"row {number}: {self.name} has rows 1 to {len(self)}")
        place = int(number) - 1
        # Cell by cell: a row taken as a whole would turn its whole numbers into floats.
        values = {name: plain_cell(self.frame[name].iat[place]) for name in self.columns}
        told = self.number_of(place)
        origin = f"{self.origin}#{told}" if self.origin and not self.numbers else ""
        return Row(values, f"row {told} of {self.name}", origin, told, self)

    def part(self, indices: Sequence[int] | np.ndarray) -> Table:
        """Return some of the rows, by their places from 0, as a table of their own."""
        places = np.asarray(indices, dtype=np.int64)
        frame = self.frame.iloc[places].reset_index(drop=True)
        return replace(self, frame=frame, numbers=tuple(self.number_of(int(i)) for i in places))

    def sampled(self, count: int, seed: int = 0) -> Table:
        """Return a table of at most ``count`` rows, drawn without replacement, in order."""
        return self.part(drawn_places(len(self), count, seed))


@dataclass(frozen=True, eq=False)
class Row:
    """One row of a table, or one made up.

    Attributes:
        values: what stands in each column: a number, text, or None where nothing does.
        name: how the user knows it ("row 7 of cancer").
        origin: where it, or the row that it was changed from, can be found again
            ("sample:cancer#7"), or "".
        changes: for a changed row: its new values.
        number: in its table, counted from 1; None for one that is in no table.
        table: the table that it is from: what it is compared with by default.
        memo: what was worked out about it, by who asked; it decides nothing.
    """

    values: Mapping[str, Any]
    name: str = "row"
    origin: str = ""
    number: int | None = None
    table: Table | None = field(default=None, repr=False)
    changes: Mapping[str, Any] = field(default_factory=dict)
    memo: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to its table on the way in."""
        return () if self.table is None else self.table.notes

    @cached_property
    def digest(self) -> str:
        """Digest of names and values (sha256, hex), in alphabetical order of the names.

        A number and its text are the same value, however the row was read.
        """
        cells = sorted((name, text_of(value)) for name, value in self.values.items())
        parts = [part for cell in cells for part in cell]
        return digest_of(*(part.encode("utf-8", "surrogatepass") for part in parts))

    def changed(self, /, **values: Any) -> Row:
        """Return the row with other values in some columns: what if.

        Raises:
            InputError: there is no such column.
        """
        for name in values:
            if name not in self.values:
                told = nearest(name, self.values)
                raise InputError(f"{self.name} has no column {name!r}; {told}")
        name = self.name if self.name.endswith(", changed") else f"{self.name}, changed"
        plain = {column: plain_cell(value) for column, value in values.items()}
        values, changes = {**self.values, **plain}, {**self.changes, **plain}
        return Row(values, name, self.origin, None, self.table, changes)


def load_table(source: Any, *, name: str | None = None) -> Table:
    """Load a table.

    Args:
        source: a CSV, TSV or Parquet file as a path, bytes or an open binary file; a pandas
            frame; or ``sample:NAME``.
        name: what to call it; by default the file's name.

    Raises:
        InputError: missing, empty, no table, columns without or with the same names, or rows
            of another length: told with the line.
    """
    from engine.inputs.reading_tables import read_table

    if isinstance(source, Table):
        return source
    if isinstance(source, str) and source.startswith("sample:"):
        from engine.inputs.sample_tables import load_sample_table

        return load_sample_table(source.removeprefix("sample:"))
    frame, found, notes = read_table(source, name)
    origin = os.fspath(source) if isinstance(source, str | os.PathLike) else ""
    in_hand = hasattr(source, "iloc")
    return Table(frame, name or found, str(origin), notes, in_hand=in_hand)


def as_row(given: Row | Mapping[str, Any] | pd.Series) -> Row:
    """Turn a mapping or a pandas series into a row that is in no table."""
    if isinstance(given, Row):
        return given
    values = {str(name): plain_cell(given[name]) for name in given.keys()}  # noqa: SIM118
    return Row(values)


def drawn_places(size: int, count: int, seed: int) -> np.ndarray:
    """Return ``count`` places of ``size``, drawn without replacement, ascending; all if fewer."""
    if size <= count:
        return np.arange(size)
    drawn = np.random.default_rng([seed % 2**64, size]).choice(size, count, replace=False)
    return np.sort(drawn)


def plain_cell(value: Any) -> Any:
    """Return a cell as a number, text, or None where nothing stands in it."""
    if value is None or isinstance(value, str):
        return value if value is None or value.strip() else None
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return None if np.isnan(value) else float(value)
    text = str(value)
    return None if text.lower() in ("nan", "nat", "<na>") else text


def text_of(cell: Any) -> str:
    """Return a cell as text, "" where nothing stands in it; 1.0 is "1"."""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, float | np.floating):
        return "" if np.isnan(cell) else str(int(cell)) if cell == cell // 1 else str(float(cell))
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(Decimal(cell))  # Python refuses to write out more than 4300 digits of an int
    return "" if plain_cell(cell) is None else str(cell)


def shown(text: object, limit: int = 40) -> str:
    """Return text on one line, cut where it is long, as it stands in an error."""
    line = " ".join(str(text).split())
    return line if len(line) <= limit else f"{line[:limit]}…"


def _hashed(column: pd.Series) -> bytes:
    from pandas.util import hash_pandas_object

    cells = column if column.dtype.kind in "iufb" else column.astype(object)
    try:
        hashed = hash_pandas_object(cells, index=False, categorize=True)
    except (TypeError, ValueError):  # lists and the like
        hashed = hash_pandas_object(cells.map(str), index=False, categorize=True)
    return str(cells.dtype).encode() + np.ascontiguousarray(hashed.to_numpy()).tobytes()
