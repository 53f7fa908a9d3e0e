"""What if: other values in a row, and what becomes of the prediction."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log10
from typing import Any

import streamlit as st

from components.words import plain
from dashboard.state import restore
from dashboard.tables.link import PREFIX
from engine.inputs.tables import Row
from engine.models.columns import Column
from engine.models.loaded import LoadedModel
from engine.models.matching import row_columns

_SHOWN = 6
_FEW = 4
_STEPS = 100


def changed(model: LoadedModel, row: Row) -> Row:
    """Return the row with what the widgets say instead of what stands in the table."""
    _take_from_link(model, row)
    there = row_columns(row, model.table_spec)
    changes = {
        there[column.name]: st.session_state[_key(model, row, column)]
        for column in model.table_spec.columns
        if _key(model, row, column) in st.session_state
    }
    real = {
        name: value
        for name, value in changes.items()
        if value is not None and not _same(value, row.values[name])
    }
    return row.changed(**real) if real else row


def controls(model: LoadedModel, row: Row, order: Sequence[int]) -> None:
    """Show a widget for each column, the most important first.

    Args:
        model, row: the row as it stands in the table.
        order: places of the columns, the most important first.
    """
    columns = [model.table_spec.columns[place] for place in order]
    there = row_columns(row, model.table_spec)
    _grid(model, row, columns[:_SHOWN], there)
    if len(columns) > _SHOWN:
        with st.expander(f"{len(columns) - _SHOWN} more columns"):
            _grid(model, row, columns[_SHOWN:], there)


def reset(model: LoadedModel, row: Row) -> None:
    """Put what stands in the table back into the widgets."""
    there = row_columns(row, model.table_spec)
    for column in model.table_spec.columns:
        if _key(model, row, column) in st.session_state:
            st.session_state[_key(model, row, column)] = _typed(
                column, row.values[there[column.name]]
            )


def _grid(model: LoadedModel, row: Row, columns: Sequence[Column], there: dict[str, str]) -> None:
    places = st.columns(2)
    for index, column in enumerate(columns):
        with places[index % 2]:
            _widget(_key(model, row, column), column, row.values[there[column.name]])


def _widget(key: str, column: Column, value: Any) -> None:
    title = plain(column.told) + (f" ({plain(column.unit)})" if column.unit else "")
    st.session_state.setdefault(key, _typed(column, value))
    now = st.session_state[key]
    common: dict[str, Any] = {"key": key, "persist_state": "session"}
    if column.kind == "category":
        st.selectbox(title, list(column.categories), **common)
        return
    low, high = _range(column, value, now)
    if column.whole and high - low < _FEW:
        st.segmented_control(
            title, list(range(int(low), int(high) + 1)), required=True, width="stretch", **common
        )
    elif column.low is None or low == high or now is None:
        st.number_input(title, **common)
    else:
        number = int if column.whole else float
        step = 1 if column.whole else (high - low) / _STEPS
        st.slider(title, number(low), number(high), step=step, format=_format(step), **common)


def _format(step: float) -> str:
    """Return how a slider tells its value: fine enough to see a step of it."""
    decimals = max(0, 1 - floor(log10(step))) if step < 1 else 0
    return f"%.{min(6, decimals)}f"


def _range(column: Column, *values: Any) -> tuple[float, float]:
    """Return the column's range in training, wide enough for these values."""
    known = [edge for edge in (column.low, column.high, *values) if edge is not None]
    numbers = [float(edge) for edge in known] or [0.0]
    return min(numbers), max(numbers)


def _typed(column: Column, value: Any) -> Any:
    """Return a cell as its widget holds it."""
    if value is None:
        return None
    if column.kind == "category":
        text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        return text.strip()
    number = float(value)
    return int(number) if column.whole and number.is_integer() else number


def _same(one: Any, other: Any) -> bool:
    try:
        return bool(float(one) == float(other))
    except (TypeError, ValueError):
        return str(one).strip() == str(other).strip()


def _key(model: LoadedModel, row: Row, column: Column) -> str:
    table = "" if row.table is None else row.table.digest[:8]
    return f"{PREFIX}set.{model.digest[:8]}.{table}.{row.number}.{column.name}"


def _take_from_link(model: LoadedModel, row: Row) -> None:
    wanted = st.session_state.pop("t-wanted-changes", {})
    columns = {column.name: column for column in model.table_spec.columns}
    for name, text in wanted.items():
        column = columns.get(name)
        try:
            value = None if column is None else _typed(column, text)
        except ValueError:
            value = None
        known = column is not None and (not column.categories or value in column.categories)
        if column is None or value is None or not known:
            restore.note(f"the change of “{name[:40]}” to “{text[:40]}” is not possible here")
        else:
            st.session_state[_key(model, row, column)] = value
