"""Choosing a table and a row: one at hand, or the user's own; checked against the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from components.saying import counted
from components.words import plain, sentence
from dashboard.running.models import identity
from dashboard.state import restore
from engine.errors import HaloscopeError, InputError
from engine.inputs.reading_tables import TABLE_EXTENSIONS
from engine.inputs.sample_tables import load_sample_table, sample_tables
from engine.inputs.tables import Row, Table, load_table
from engine.models.bundled import bundled_models
from engine.models.labels import label_column
from engine.models.loaded import LoadedModel
from engine.models.matching import match, usable_rows

OWN = "own"
NO_TABLE = "Choose a table at the left."
_NO_LABEL = "–"
_DIGEST_SHOWN = 12
_CHECKED = 8

Chosen = tuple[Table | None, str | None, str]


def choose(ref: str, model: LoadedModel, prefix: str) -> Chosen:
    """Show the chooser; return table, label column, and why there is no table ("" if there is).

    Args:
        ref, model: of what the table is asked.
        prefix: of the widgets' keys ("t."), so that each page keeps its own choices.
    """
    titles = {found.name: found.title for found in sample_tables()}
    options = [*suited(ref), OWN]
    key = f"{prefix}table"
    restore.valid(key, options)
    restore.aloud(key, options[0])
    name = st.selectbox(
        "Table",
        options,
        format_func=lambda name: titles.get(name, "Your own file"),
        key=key,
        persist_state="session",
    )
    if name == OWN:
        table = _upload(prefix)
        if table is None:
            return None, None, _kept(prefix, "upload-error") or NO_TABLE
    else:
        table = load_sample_table(name)
        st.caption(next(found.summary for found in sample_tables() if found.name == name))
    return _checked(table, model, prefix, own=name == OWN)


def suited(ref: str) -> list[str]:
    """Return the names of the tables at hand that suit a model, best first."""
    return next((list(model.sets) for model in bundled_models() if model.name == ref), [])


def row(table: Table, prefix: str) -> Row:
    """Show the chooser of a row by its number; return the row."""
    key = f"{prefix}row"
    last = table.number_of(len(table) - 1)
    restore.aloud(key, 1)
    now = int(st.session_state[key])
    if not 1 <= now <= last:
        restore.missed(f"row {now} is not there: the rows are 1 to {last}")
        st.session_state[key] = min(max(1, now), last)
    number = st.number_input(
        "Row",
        1,
        last,
        key=key,
        persist_state="session",
        help=f"The first row below the header is 1, the last {last}.",
    )
    place = table.place_of(int(number))
    if table.number_of(place) != number:
        st.caption(f"Row {number} is left out; row {table.number_of(place)} is shown.")
    return table.row(place + 1)


def wanted_columns(model: LoadedModel) -> None:
    """Say which columns a table must have for a model."""
    st.info("Choose a table at the left that has the model's columns:", icon=":material/table:")
    columns = model.table_spec.columns
    st.dataframe(
        {
            "Column": [column.name for column in columns],
            "Kind": [column.kind for column in columns],
            "Values": [
                ", ".join(column.categories)
                if column.categories
                else ""
                if column.low is None
                else f"{column.low:g} to {column.high:g}"
                for column in columns
            ],
        },
        hide_index=True,
    )


def ethics(model: LoadedModel | None) -> None:
    """Tell what the model's card says must be known before anything is read off it."""
    if model is None:
        return
    facts = dict(model.card.facts)
    told = " ".join(facts[name] for name in ("Label", "Ethics") if name in facts)
    if told:
        st.warning(plain(told), icon=":material/balance:")


def in_link(prefix: str) -> dict[str, str]:
    """Return name and digest of an upload, for a link."""
    table: Table | None = _kept(prefix, "uploaded")
    if st.session_state.get(f"{prefix}table") != OWN:
        return {}
    if table is None:
        wanted = restore.wanted_file(prefix)
        return {} if wanted is None else {"file": wanted[0], "digest": wanted[1]}
    return {"file": table.name, "digest": table.digest[:_DIGEST_SHOWN]}


def _of(prefix: str, name: str) -> str:
    """Return a name in the session's state that is no widget's of the page, or does not travel."""
    return f"{prefix.rstrip('.')}-{name}"


def _kept(prefix: str, name: str) -> Any:
    return st.session_state.get(_of(prefix, name))


def _upload(prefix: str) -> Table | None:
    st.file_uploader(
        "Your table",
        type=list(TABLE_EXTENSIONS),
        key=_of(prefix, "upload"),
        on_change=_take,
        args=(prefix,),
        label_visibility="collapsed",
        help="Stays in this session; nothing is stored.",
    )
    error = _kept(prefix, "upload-error")
    if error:
        st.error(sentence(error))
    table: Table | None = _kept(prefix, "uploaded")
    restore.tell_wanted(restore.wanted_file(prefix), None if table is None else table.digest)
    if table is None and not error:
        st.caption("CSV, TSV or Parquet, with the model's columns. It stays in this session.")
    elif table is not None:
        size = f"{counted(len(table), 'row')}, {counted(len(table.columns), 'column')}"
        st.caption(f"{plain(table.name)}, {size}")
        for note in table.notes:
            st.caption(f"{note[0].upper()}{note[1:]}.")
    return table


def _take(prefix: str) -> None:
    """Read an upload once; the last good one stays if it cannot be read."""
    file = _kept(prefix, "upload")
    st.session_state[_of(prefix, "upload-error")] = None
    if file is None:
        st.session_state.pop(_of(prefix, "uploaded"), None)
        return
    try:
        st.session_state[_of(prefix, "uploaded")] = load_table(file.getvalue(), name=file.name)
        st.session_state[f"{prefix}row"] = 1
    except HaloscopeError as error:
        st.session_state[_of(prefix, "upload-error")] = str(error)


def _checked(table: Table, model: LoadedModel, prefix: str, *, own: bool) -> Chosen:
    """Match the table with the model's columns; offer to leave out rows that cannot be used."""
    notes, problem = _once("matched", table, model, prefix, _matched)
    if problem:
        st.error(sentence(problem))
        usable = _once("usable", table, model, prefix, _usable)
        restore.aloud(_of(prefix, "leave-out"), False)
        if usable is None or not st.toggle(
            f"Leave out {counted(len(table) - len(usable), 'row')} that cannot be used",
            key=_of(prefix, "leave-out"),
            persist_state="session",
        ):
            return None, None, problem
        table, notes = usable, ()
    for note in notes:
        st.caption(plain(f"{note[0].upper()}{note[1:]}."))
    return table, _label(table, model, prefix) if own else label_column(table, model.table_spec), ""


def _once(
    what: str, table: Table, model: LoadedModel, prefix: str, work: Callable[..., Any]
) -> Any:
    """Do work on a table once in a session: it is the user's own, and stays with the session."""
    known = st.session_state.setdefault(_of(prefix, "checked"), {})
    key = (what, table.digest, identity(model))
    if key not in known:
        with st.spinner("Checking the table …"):
            known[key] = work(table, model)
        for old in list(known)[:-_CHECKED]:
            del known[old]
    return known[key]


def _matched(table: Table, model: LoadedModel) -> tuple[tuple[str, ...], str]:
    try:
        return match(table, model.table_spec).notes, ""
    except InputError as error:
        return (), str(error)


def _usable(table: Table, model: LoadedModel) -> Table | None:
    try:
        return usable_rows(table, model.table_spec)
    except InputError:
        return None


def _label(table: Table, model: LoadedModel, prefix: str) -> str | None:
    """Show the chooser of the label's column, the one of the model's card first."""
    found = label_column(table, model.table_spec)
    spare = [name for name in table.columns if name not in model.table_spec.names]
    if not spare:
        return None
    options = [_NO_LABEL, *spare]
    key = _of(prefix, "label")
    if st.session_state.get(key) not in options:
        st.session_state.pop(key, None)
    restore.aloud(key, found or _NO_LABEL)
    chosen = st.selectbox(
        "Label",
        options,
        format_func=lambda name: "none" if name == _NO_LABEL else plain(name),
        key=key,
        persist_state="session",
        help="The column that holds the truth, if there is one.",
    )
    return None if chosen == _NO_LABEL else chosen
