"""Whether an estimator is given the texts of a table as it was fitted on them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from engine.errors import ModelError
from engine.inputs.tables import Table, drawn_places, shown
from engine.models.cells import read_numbers
from engine.models.matching import match

if TYPE_CHECKING:
    import pandas as pd

    from engine.models.estimators import BlackBox
    from engine.models.table_specs import Column, TableSpec

_DRAWN = 50
_MOST = 500
_OFF = 1e-4
# What pandas itself takes for an empty cell of a text file; "none" is a text to it.
_EMPTY = frozenset({"", "NA", "N/A", "n/a", "nan", "NaN", "null", "NULL", "None", "<NA>"})


def spelled_as_fitted(box: BlackBox, table: Table) -> TableSpec:
    """Return an estimator's columns with their categories written as it knows them.

    Of a file nobody knows whether the white space around its texts was there at the fitting:
    they are taken without it if the estimator hears only those (our definition).

    Args:
        box: the estimator, its columns learned from the table.
        table: like the one that it was fitted on.

    Raises:
        ModelError: it predicts otherwise for the rows as they are than for what is read of them.
    """
    part = _telling_rows(table, box.spec)
    given = match(part, box.spec).frame
    codes = box.spec.encode(given)
    plain = replace(box.spec, columns=tuple(replace(c, written=()) for c in box.spec.columns))
    if not table.in_hand and plain != box.spec and _hears_only(box, plain, codes):
        return plain
    rows = _as_given(part, box.spec)
    own = _directly(box, table, rows)
    ours = _through(box, box.spec, codes)
    if own is not None and (ours is None or not _alike(own, ours)):
        does = "fails" if ours is None else "predicts otherwise"
        raise ModelError(
            f"{type(box.estimator).__name__} {does} {_told(box, part.name, rows, codes)}"
        )
    return box.spec


def _telling_rows(table: Table, spec: TableSpec) -> Table:
    """Return some rows, among them one of each text that stands in a column."""
    places = set(drawn_places(len(table), _DRAWN, 0).tolist())
    for column in spec.columns:
        cells = table.frame[column.name]
        if column.kind == "category" or (table.in_hand and cells.dtype.kind == "O"):
            first = np.flatnonzero(~cells.astype(str).duplicated().to_numpy())
            places |= set(first[: _MOST - len(places)].tolist())
    return table.part(sorted(places))


def _hears_only(box: BlackBox, plain: TableSpec, codes: np.ndarray) -> bool:
    """Whether categories matter to an estimator only when they are written plainly."""
    at = [place for place, column in enumerate(box.spec.columns) if column.written]
    moved = codes.copy()
    for place in at:
        count = len(box.spec.columns[place].categories)
        moved[:, place] = (codes[:, place] + 1) % max(2, count)
    return _hears(box, plain, codes, moved) and not _hears(box, box.spec, codes, moved)


def _hears(box: BlackBox, spec: TableSpec, codes: np.ndarray, moved: np.ndarray) -> bool:
    before, after = _through(box, spec, codes), _through(box, spec, moved)
    return before is not None and after is not None and not np.array_equal(before, after)


def _through(box: BlackBox, spec: TableSpec, codes: np.ndarray) -> np.ndarray | None:
    """Return what an estimator says of rows in codes, or None where it fails."""
    before, box.spec = box.spec, spec
    try:
        return _plain(box, box(torch.from_numpy(codes)).numpy())
    except ModelError:  # told when the model is loaded
        return None
    finally:
        box.spec = before


def _directly(box: BlackBox, table: Table, rows: pd.DataFrame) -> np.ndarray | None:
    """Return what an estimator says of rows as its user would give them, or None."""
    if box.of_trees:
        texts = [c.name for c in box.spec.columns if _is_text(rows[c.name])]
        rows = rows.astype({name: _category(table, name) for name in texts})
    try:
        return _plain(box, box.asked(box.named(rows)))
    except Exception:  # it was fitted on cells of other kinds, which nobody can guess
        return None


def _as_given(part: Table, spec: TableSpec) -> pd.DataFrame:
    """Return rows as they are in a frame in hand, or as pandas would read them from a file."""
    import pandas as pd

    return pd.DataFrame({c.name: _cells(part, c) for c in spec.columns})


def _cells(part: Table, column: Column) -> pd.Series | np.ndarray:
    cells = part.frame[column.name]
    if part.in_hand or not _is_text(cells):
        return cells
    return (
        read_numbers(cells) if column.kind == "number" else cells.where(~cells.isin(_EMPTY), None)
    )


def _is_text(cells: pd.Series) -> bool:
    from pandas.api.types import is_object_dtype, is_string_dtype

    return is_object_dtype(cells) or is_string_dtype(cells)


def _category(table: Table, name: str) -> Any:
    import pandas as pd

    known = sorted(set(table.frame[name].dropna().astype(str)) - ({""} | _EMPTY))
    return pd.CategoricalDtype(known)


def _plain(box: BlackBox, found: np.ndarray) -> np.ndarray:
    """Return probabilities or values, float64 ``(n, outputs)``."""
    return found if box.spec.task == "regression" else np.exp(found)


def _alike(own: np.ndarray, ours: np.ndarray) -> bool:
    return bool(np.allclose(own, ours, rtol=_OFF, atol=_OFF * float(np.abs(own).max()) / 100))


def _told(box: BlackBox, name: str, rows: pd.DataFrame, codes: np.ndarray) -> str:
    """Say of what an estimator predicts otherwise, and which column may be why."""
    import pandas as pd

    read = box.spec.decode(codes)
    told = f"for the rows of {name} as they are read here"
    for column in box.spec.columns:
        for cell, ours in zip(rows[column.name], read[column.name], strict=True):
            if isinstance(cell, str) and cell != ours:
                as_read = "nothing" if pd.isna(ours) else repr(ours)
                return (
                    f"{told}: column {column.name!r} holds {shown(repr(cell))}, read as "
                    f"{as_read}; fit it on texts that are written as "
                    "they are read"
                )
    first = next((c.name for c in box.spec.columns if c.kind == "category"), None)
    return told + (f"; look at the column {first!r}" if first else "")
