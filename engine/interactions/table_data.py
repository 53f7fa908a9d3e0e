"""Rows of a table that judge a model for tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import InputError
from engine.execution.chunks import Chunks
from engine.execution.passes import Passes
from engine.inputs.tables import Table
from engine.interactions.columns_first import columns_first, in_double, widest
from engine.interactions.data import Data
from engine.interactions.samples import Samples
from engine.interactions.table_world import TableWorld
from engine.models.fitting_labels import with_labels
from engine.models.loaded import LoadedModel
from engine.models.rows import Rows, find_column, load_rows

# Rows that differ, at the most; of a table whose rows repeat themselves all are taken.
MOST_ROWS = 1000
_READ = 20_000
MOST_ASKED = 100_000
# As many numbers as stay in a cache, features first; more gain nothing (tests/bench).
_CHUNK_ROWS = 32_768
_CHUNK_NUMBERS = 3 * 2**18
_LEAST_ROWS = 2
_NAMED = 3  # labels that are told


@dataclass(frozen=True, eq=False)
class TableData(Data):
    """Rows with their truth.

    Attributes:
        model, notes: as in ``Data``.
        table: the whole table.
        rows: those that are looked at.
    """

    model: LoadedModel
    table: Table
    rows: Rows
    notes: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """As in ``Data``."""
        return self.rows.spec.names

    @property
    def titles(self) -> tuple[str, ...]:
        """As in ``Data``."""
        return self.rows.spec.titles

    @property
    def count(self) -> int:
        """As in ``Data``."""
        return len(self.rows)

    @property
    def chunk(self) -> int:
        """As in ``Data``; one by one where the network answers otherwise for many at once."""
        if not self.model.seen.batches:
            return 1
        return max(1, min(_CHUNK_ROWS, _CHUNK_NUMBERS // widest(self.model)))

    def exactly(self, model: LoadedModel) -> LoadedModel:
        """As in ``Data``."""
        return in_double(model)

    def quickly(self, model: LoadedModel) -> LoadedModel:
        """As in ``Data``."""
        return columns_first(model)

    def world(self, passes: Passes, chunks: Chunks, bank: np.ndarray) -> TableWorld:
        """As in ``Data``."""
        return TableWorld(passes, chunks, self.rows, bank)

    def find(self, name: str | int) -> int:
        """As in ``Data``."""
        if isinstance(name, int):
            if not 0 <= name < len(self.columns):
                raise InputError(f"no feature {name}: there are 0 to {len(self.columns) - 1}")
            return name
        return find_column(self.rows.spec, name)

    def identity(self) -> dict[str, Any]:
        """As in ``Data``."""
        return {
            "preprocessing": self.rows.spec.describe(),
            "table": self.table.digest,
            "label": self.rows.label,
            "rows": len(self.rows) + self.rows.unlabelled,
        }

    def source(self) -> dict[str, Any]:
        """As in ``Data``."""
        return {
            "model": self.model.ref,
            "model_title": self.model.card.title,
            "table": self.table.name,
            "table_origin": self.table.origin,
            "table_notes": [*self.table.notes, *self.rows.notes],
        }


def table_data(
    model: LoadedModel, table: Table, label: str | None, rows: int | None, seed: int
) -> TableData:
    """Draw and match the rows that judge a model.

    Args:
        model: for tables.
        table: with the truth.
        label: the column that holds it; by default the one of the model's card.
        rows: how many at the most; by default 1000 that differ (our definition).
        seed: decides which.

    Raises:
        ModelError: the model takes no tables.
        InputError: no label, fewer than two columns or rows, or cells that cannot be used.
    """
    spec = with_labels(model.table_spec, model.classes)
    if len(spec.columns) < 2:
        raise InputError(
            f"{model.card.title} reads a single column, {spec.names[0]!r}; an interaction is "
            "between two"
        )
    found = load_rows(table, spec, rows or _READ, seed, label, truth=True)
    if found.truth is None:
        named = f" {spec.label!r}" if spec.label else ""
        raise InputError(
            f"interactions compare with the truth, but {table.name} has no label column{named}; "
            "name the column that holds it as the label"
        )
    if rows is None and len(Samples.of(found).merged()) > MOST_ROWS:
        found = load_rows(table, spec, MOST_ROWS, seed, label, truth=True)
    if len(found) < _LEAST_ROWS:
        raise InputError(
            f"{table.name} has {len(found)} usable {'row' if len(found) == 1 else 'rows'}; "
            f"permuting needs at least {_LEAST_ROWS}"
        )
    return TableData(model, table, found, _notes(found))


def _notes(rows: Rows) -> tuple[str, ...]:
    return (*_unlabelled(rows), *_missing_classes(rows), *_constant(rows), *_copies(rows))


def _unlabelled(rows: Rows) -> tuple[str, ...]:
    strange = len(rows.strangers)
    empty, told = rows.unlabelled - strange, []
    if empty:
        many = "row has no label and was" if empty == 1 else "rows have no label and were"
        told.append(f"{empty} {many} left out")
    if strange:
        is_, was = ("row is", "was") if strange == 1 else ("rows are", "were")
        names = list(dict.fromkeys(map(repr, rows.strangers)))
        some = ", ".join([*names[:_NAMED], *(["…"] if len(names) > _NAMED else [])])
        told.append(f"{strange} {is_} of no class of the model ({some}) and {was} left out")
    return tuple(told)


def _missing_classes(rows: Rows) -> tuple[str, ...]:
    if rows.spec.task == "regression":
        return ()
    labels = rows.spec.labels
    missing = [repr(name) for place, name in enumerate(labels) if place not in set(_truth(rows))]
    return (f"no row is of the class {', '.join(missing)}",) if missing else ()


def _truth(rows: Rows) -> list[float]:
    return [] if rows.truth is None else rows.truth.tolist()


def _constant(rows: Rows) -> tuple[str, ...]:
    cells = rows.filled
    names = [
        column.told
        for place, column in enumerate(rows.spec.columns)
        if (cells[:, place] == cells[0, place]).all()
    ]
    told = "is the same in all rows: permuting it changes nothing"
    return tuple(f"{name} {told}" for name in names)


def _copies(rows: Rows) -> tuple[str, ...]:
    """Name columns that say the same: each stands in for the other when one is permuted."""
    first: dict[bytes, str] = {}
    notes = []
    for place, column in enumerate(rows.spec.columns):
        cells = rows.filled[:, place]
        spread = cells.std()
        if not spread:
            continue
        key = np.round((cells - cells.mean()) / spread, 9).tobytes()
        if key in first:
            notes.append(
                f"{column.told} is a copy of {first[key]}: the model may share its reliance out "
                "between them in any way"
            )
        first.setdefault(key, column.told)
    return tuple(notes)
