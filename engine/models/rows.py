"""The rows of a table that a measure looks at, as cells and as features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import InputError, nearest
from engine.inputs.tables import Table
from engine.models.cells import read_texts
from engine.models.labels import label_column, truth_of
from engine.models.matching import match
from engine.models.table_specs import Column, TableSpec

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a table, matched to the columns that a model reads.

    Attributes:
        table: the rows themselves.
        spec: the columns.
        frame: one typed column for each of the spec's, as ``match`` returns them.
        of: how many rows the whole table has.
        label: the column that holds the truth, or None.
        truth: what it says of each row, as ``truth_of`` returns it, or None; none is unknown.
        unlabelled: rows that were drawn but left out, because their truth is not known.
        strangers: what the label says in those of them where it is no outcome of the model.
        notes: what a person should know of the matching.
    """

    table: Table
    spec: TableSpec
    frame: pd.DataFrame
    of: int
    label: str | None = None
    truth: np.ndarray | None = None
    unlabelled: int = 0
    strangers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)

    @cached_property
    def numbers(self) -> np.ndarray:
        """The rows' numbers in the whole table, counted from 1, int32 ``(n,)``."""
        return np.array([self.table.number_of(i) for i in range(len(self))], dtype=np.int32)

    @cached_property
    def cells(self) -> np.ndarray:
        """Float64 ``(n, columns)``: numbers; of a category its place; NaN where nothing stands."""
        return np.stack([_cells(self.frame[c.name], c) for c in self.spec.columns], axis=1)

    @cached_property
    def filled(self) -> np.ndarray:
        """The same, empty numbers at their median (our definition); categories stay."""
        cells = self.cells.copy()
        for index, column in enumerate(self.spec.columns):
            empty = np.isnan(cells[:, index])
            if column.kind == "number" and empty.any():
                seen = cells[~empty, index]
                cells[empty, index] = np.median(seen) if len(seen) else 0.0
        return cells

    @cached_property
    def features(self) -> np.ndarray:
        """What the model sees, float32 ``(n, features)``."""
        return self.spec.encode(self.frame)

    def block(self, column: int) -> slice:
        """Return which features a column has, by its index."""
        start = int(sum(self.spec.widths[:column]))
        return slice(start, start + self.spec.widths[column])

    def encoded(self, column: int, values: np.ndarray) -> np.ndarray:
        """Return the features of one column for some cells: ``(k,)`` → float32 ``(k, width)``."""
        import pandas as pd

        found = self.spec.columns[column]
        alone = replace(self.spec, columns=(found,), label="", labels=())
        if found.kind == "number":
            return alone.encode(pd.DataFrame({found.name: values.astype(np.float64)}))
        codes = np.where(np.isnan(values), -1, values).astype(np.int64)
        typed = pd.Categorical.from_codes(codes.tolist(), categories=list(found.categories))
        return alone.encode(pd.DataFrame({found.name: typed}))

    def part(self, places: np.ndarray) -> Rows:
        """Return some of the rows, by their places from 0."""
        return replace(
            self,
            table=self.table.part(places),
            frame=self.frame.iloc[places].reset_index(drop=True),
            truth=None if self.truth is None else self.truth[places],
        )


def _cells(cells: pd.Series, column: Column) -> np.ndarray:
    if column.kind == "number":
        return cells.to_numpy(np.float64)
    codes = np.asarray(cells.cat.codes, dtype=np.float64)
    return np.where(codes < 0, np.nan, codes)


def load_rows(
    table: Table, spec: TableSpec, most: int, seed: int, label: str | None, *, truth: bool
) -> Rows:
    """Draw the rows that a measure looks at, and match them.

    Args:
        table: the whole table.
        spec: the columns that are read.
        most: how many rows at the most; which, is decided by ``seed``.
        label: the column with the truth, named by the user, or None.
        truth: read the truth, where the table has it; rows without are left out.

    Raises:
        InputError: columns are missing, a cell cannot be used, a label that is not there, or no
            row with a known truth.
    """
    column = label_column(table, spec, label)
    part = table.sampled(most, seed)
    matched = match(part, spec)
    rows = Rows(part, spec, matched.frame, len(table), notes=matched.notes)
    found = truth_of(part, spec, label) if truth else None
    if found is None:
        return rows
    known = found >= 0 if spec.task == "classification" else ~np.isnan(found)
    if not known.any():
        raise InputError(f"{table.name}, column {column!r}: no row tells what is true")
    rows = replace(rows, label=column, truth=found)
    if known.all():
        return rows
    left = part.frame[column][~known]
    return replace(
        rows.part(np.flatnonzero(known)),
        unlabelled=len(left),
        strangers=tuple(text for text in read_texts(left) if text.strip()),
    )


def find_column(spec: TableSpec, name: str) -> int:
    """Return the index of a column by its name or title, upper and lower case alike.

    Raises:
        InputError: there is none; the nearest are told.
    """
    wanted = str(name).strip()
    for names in (spec.names, spec.titles):
        if wanted in names:
            return names.index(wanted)
        plain = [known.lower() for known in names]
        if plain.count(wanted.lower()) == 1:
            return plain.index(wanted.lower())
    raise InputError(f"the model reads no column {wanted!r}; {nearest(wanted, spec.names)}")
