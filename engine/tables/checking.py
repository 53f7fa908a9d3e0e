"""What a caller may ask of a measure: its column, its rows, its seed."""

from __future__ import annotations

from typing import Any

from engine.errors import InputError, MethodError, ParameterError
from engine.inputs.tables import Table
from engine.models.rows import Rows, find_column
from engine.models.table_specs import TableSpec
from engine.tables.measure import Measure

_SHOWN = 12


def column_for(measure: Measure, spec: TableSpec, column: str | None) -> int | None:
    """Return the index of the column asked about, or None for measures of all columns.

    Raises:
        MethodError: one is needed, or none is taken.
        InputError: there is none of that name.
    """
    if not measure.takes_column:
        if column is not None:
            raise MethodError(f"{measure.title} looks at all columns; it takes no column")
        return None
    if column is None:
        shown = ", ".join(spec.names[:_SHOWN])
        more = f" and {len(spec.names) - _SHOWN} more" if len(spec.names) > _SHOWN else ""
        raise MethodError(f"{measure.title} is of one column; name it: there are {shown}{more}")
    return find_column(spec, column)


def most_rows(measure: Measure, rows: Any) -> int:
    """Return how many rows to look at, at the most.

    Raises:
        ParameterError: no whole number, or more or fewer than the measure takes.
    """
    if rows is None:
        return measure.most_rows
    if isinstance(rows, bool) or not isinstance(rows, int):
        raise ParameterError(f"rows={rows!r}: expected a whole number")
    if rows < measure.least_rows or (measure.limit is not None and rows > measure.limit):
        upto = f"to {measure.limit}" if measure.limit else "up"
        raise ParameterError(f"rows={rows}: {measure.title} takes from {measure.least_rows} {upto}")
    return rows


def check_rows(measure: Measure, table: Table, rows: Rows, label: str) -> None:
    """Raise ``InputError`` if there are too few rows, or their truth is needed and not there."""
    if measure.needs_labels and rows.truth is None:
        named = f" {label!r}" if label else ""
        raise InputError(
            f"{measure.title} compares with the truth, but {table.name} has no label column{named};"
            " name the column that holds it as the label"
        )
    if len(rows) < measure.least_rows:
        raise InputError(
            f"{table.name} has {len(rows)} usable row{'s' if len(rows) != 1 else ''}; "
            f"{measure.title} needs {measure.least_rows}"
        )
