"""Choosing a table: one at hand, or the user's own; checked against the model cell by cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from components.words import plain, sentence
from dashboard.running.models import identity
from dashboard.state import restore
from dashboard.tables.link import PREFIX
from engine.errors import HaloscopeError, InputError
from engine.inputs.reading_tables import TABLE_EXTENSIONS
from engine.inputs.sample_tables import load_sample_table, sample_tables
from engine.inputs.tables import Table, load_table
from engine.models.bundled import bundled_models
from engine.models.labels import label_column
from engine.models.loaded import LoadedModel
from engine.models.matching import match, usable_rows

OWN = "own"
NO_TABLE = "Choose a table at the left."
_UPLOADED = "t-uploaded"
_ERROR = "t-upload-error"
_NO_LABEL = "–"
_DIGEST_SHOWN = 12
_CHECKED = 8

Chosen = tuple[Table | None, str | None, str]


def choose(ref: str, model: LoadedModel) -> Chosen:
    """Show the chooser; return table, label column, and why there is no table ("" if there is)."""
    titles = {found.name: found.title for found in sample_tables()}
    options = [*suited(ref), OWN]
    key = f"{PREFIX}table"
    restore.valid(key, options)
    st.session_state.setdefault(key, options[0])
    name = st.selectbox(
        "Table",
        options,
        format_func=lambda name: titles.get(name, "Your own file"),
        key=key,
        persist_state="session",
    )
    if name == OWN:
        table = _upload()
        if table is None:
            return None, None, st.session_state.get(_ERROR) or NO_TABLE
    else:
        table = load_sample_table(name)
        st.caption(next(found.summary for found in sample_tables() if found.name == name))
    return _checked(table, model, own=name == OWN)


def suited(ref: str) -> list[str]:
    """Return the names of the tables at hand that suit a model, best first."""
    return next((list(model.sets) for model in bundled_models() if model.name == ref), [])


def in_link() -> dict[str, str]:
    """Return name and digest of an upload, for a link."""
    table: Table | None = st.session_state.get(_UPLOADED)
    if st.session_state.get(f"{PREFIX}table") != OWN:
        return {}
    if table is None:
        wanted = st.session_state.get("t-wanted-file")
        return {} if wanted is None else {"file": wanted[0], "digest": wanted[1]}
    return {"file": table.name, "digest": table.digest[:_DIGEST_SHOWN]}


def _upload() -> Table | None:
    st.file_uploader(
        "Your table",
        type=list(TABLE_EXTENSIONS),
        key="t-upload",
        on_change=_take,
        label_visibility="collapsed",
        help="Stays in this session; nothing is stored.",
    )
    error = st.session_state.get(_ERROR)
    if error:
        st.error(sentence(error))
    table: Table | None = st.session_state.get(_UPLOADED)
    wanted = st.session_state.get("t-wanted-file")
    restore.tell_wanted(wanted, None if table is None else table.digest)
    if table is None and not error:
        st.caption("CSV, TSV or Parquet, with the model's columns. It stays in this session.")
    elif table is not None:
        rows = f"{len(table):,}".replace(",", " ")
        st.caption(f"{plain(table.name)}, {rows} rows, {len(table.columns)} columns")
        for note in table.notes:
            st.caption(f"{note[0].upper()}{note[1:]}.")
    return table


def _take() -> None:
    """Read an upload once; the last good one stays if it cannot be read."""
    file = st.session_state.get("t-upload")
    st.session_state[_ERROR] = None
    if file is None:
        st.session_state.pop(_UPLOADED, None)
        return
    try:
        st.session_state[_UPLOADED] = load_table(file.getvalue(), name=file.name)
        st.session_state[f"{PREFIX}row"] = 1
    except HaloscopeError as error:
        st.session_state[_ERROR] = str(error)


def _checked(table: Table, model: LoadedModel, *, own: bool) -> Chosen:
    """Match the table with the model's columns; offer to leave out rows that cannot be used."""
    notes, problem = _once("matched", table, model, _matched)
    if problem:
        st.error(sentence(problem))
        usable = _once("usable", table, model, _usable)
        if usable is None or not st.toggle(
            f"Leave out {len(table) - len(usable):,} rows that cannot be used".replace(",", " "),
            key="t-leave-out",
            persist_state="session",
        ):
            return None, None, problem
        table, notes = usable, ()
    for note in notes:
        st.caption(plain(f"{note[0].upper()}{note[1:]}."))
    return table, _label(table, model) if own else label_column(table, model.table_spec), ""


def _once(what: str, table: Table, model: LoadedModel, work: Callable[..., Any]) -> Any:
    """Do work on a table once in a session: it is the user's own, and stays with the session."""
    known = st.session_state.setdefault("t-checked", {})
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


def _label(table: Table, model: LoadedModel) -> str | None:
    """Show the chooser of the label's column, the one of the model's card first."""
    found = label_column(table, model.table_spec)
    spare = [name for name in table.columns if name not in model.table_spec.names]
    if not spare:
        return None
    options = [_NO_LABEL, *spare]
    if st.session_state.get("t-label") not in options:
        st.session_state["t-label"] = found or _NO_LABEL
    chosen = st.selectbox(
        "Label",
        options,
        format_func=lambda name: "none" if name == _NO_LABEL else plain(name),
        key="t-label",
        persist_state="session",
        help="The column that holds the truth, if there is one.",
    )
    return None if chosen == _NO_LABEL else chosen
