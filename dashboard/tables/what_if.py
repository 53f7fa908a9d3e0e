"""What if: other values in a row, and what becomes of the prediction."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, isfinite, log10
from typing import Any

import streamlit as st

from components.words import plain
from dashboard.running.models import identity
from dashboard.state import restore
from dashboard.tables.link import PREFIX
from engine.attribution.rows import row_told
from engine.inputs.tables import Row
from engine.models.columns import Column
from engine.models.loaded import LoadedModel
from engine.models.matching import row_columns

_SHOWN = 6
_FEW = 4
_STEPS = 100
_LARGEST = 2**53 - 1  # what the widgets can hold


def changed(model: LoadedModel, row: Row) -> Row:
    """Return the row with what the widgets say instead of what stands in the table.

    Raises:
        InputError: the model cannot read the row.
    """
    _take_from_link(model, row)
    there, own = row_columns(row, model.table_spec), _cells(model, row)
    said = {name: st.session_state.get(key) for name, key in _keys(model, row).items()}
    real = {
        there[name]: value
        for name, value in said.items()
        if value is not None and value != own[name]
    }
    return row.changed(**real) if real else row


def controls(model: LoadedModel, row: Row, order: Sequence[int]) -> None:
    """Show a widget for each column, the most important first.

    Args:
        model, row: the row as it stands in the table.
        order: places of the columns, the most important first.
    """
    columns = [model.table_spec.columns[place] for place in order]
    _grid(model, row, columns[:_SHOWN])
    if len(columns) > _SHOWN:
        with st.expander(f"{len(columns) - _SHOWN} more columns"):
            _grid(model, row, columns[_SHOWN:])


def reset(model: LoadedModel, row: Row) -> None:
    """Put what stands in the table back into the widgets."""
    own = _cells(model, row)
    for name, key in _keys(model, row).items():
        if key in st.session_state:
            st.session_state[key] = own[name]


def _cells(model: LoadedModel, row: Row) -> dict[str, Any]:
    """Return what stands in the model's columns, as the widgets hold it; None where nothing."""
    told = row_told(row, model.spec) or {}
    return {column.name: _held(column, told[column.name]) for column in model.table_spec.columns}


def _held(column: Column, value: Any) -> Any:
    if column.kind == "category" or value is None:
        return value
    whole = column.whole and float(value).is_integer() and abs(value) <= _LARGEST
    return int(value) if whole else float(value)


def _grid(model: LoadedModel, row: Row, columns: Sequence[Column]) -> None:
    own, keys, places = _cells(model, row), _keys(model, row), st.columns(2)
    for index, column in enumerate(columns):
        with places[index % 2]:
            _widget(keys[column.name], column, own[column.name])


def _widget(key: str, column: Column, own: Any) -> None:
    title = plain(column.told) + (f" ({plain(column.unit)})" if column.unit else "")
    restore.aloud(key, own)
    now = st.session_state[key]
    common: dict[str, Any] = {"key": key, "persist_state": "session"}
    if column.kind == "category":
        st.selectbox(title, list(column.categories), **common)
        return
    number = int if isinstance(own, int) and isinstance(now, int) else float
    low, high = _range(column, own, now)
    if number is int and high - low < _FEW:
        st.segmented_control(
            title, list(range(int(low), int(high) + 1)), required=True, width="stretch", **common
        )
    elif column.low is None or low == high or now is None or max(-low, high) > _LARGEST:
        st.number_input(title, format="%d" if number is int else "%g", **common)
    else:
        st.session_state[key] = number(now)
        step = 1 if number is int else (high - low) / _STEPS
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


def _keys(model: LoadedModel, row: Row) -> dict[str, str]:
    """Return the key of each column's widget, by the column's name."""
    table = "" if row.table is None else row.table.digest[:8]
    begin = f"{PREFIX}set.{identity(model)[:8]}.{table}.{row.number}"
    return {name: f"{begin}.{name}" for name in model.table_spec.names}


def _take_from_link(model: LoadedModel, row: Row) -> None:
    wanted = st.session_state.pop("t-wanted-changes", {})
    columns = {column.name: column for column in model.table_spec.columns}
    for name, text in wanted.items():
        column = columns.get(name)
        value = None if column is None else _asked(column, text)
        if column is None or value is None:
            restore.note(f"the change of “{name[:40]}” to “{text[:40]}” is not possible here")
        else:
            st.session_state[_keys(model, row)[name]] = value


def _asked(column: Column, text: str) -> Any:
    """Return the value that a link asks for, or None where the column cannot have it."""
    if column.kind == "category":
        return text if text in column.categories else None
    try:
        value = float(text)
    except ValueError:
        return None
    return _held(column, value) if isfinite(value) and abs(value) <= _LARGEST else None
