"""From a link to the page's widgets, once; and back into the address bar."""

from __future__ import annotations

import streamlit as st

from dashboard.state import restore

PREFIX = "t."
_WHAT_IF = "set."
_DONE = "t-restored"
# What a link carries: name → the value that goes without saying.
_TEXTS = {
    "model": "", "table": "", "view": "row", "method": "", "target": "", "output": "",
    "measure": "", "column": "",
}  # fmt: skip
_NUMBERS = {"row": (1, 2**31 - 1), "seed": (0, 2**31 - 1)}


def begin() -> None:
    """Put what a link asks for into the widgets' state, the first time a session is here."""
    state = st.session_state
    if state.get(_DONE):
        return
    state[_DONE] = True
    for name, value in st.query_params.to_dict().items():
        if name == "model" and restore.is_unknown(value):
            restore.want_model(value)
        elif name in _TEXTS:
            state[PREFIX + name] = value
        elif name in _NUMBERS:
            _number(name, value)
        elif name.startswith(_WHAT_IF):
            state.setdefault("t-wanted-changes", {})[name.removeprefix(_WHAT_IF)] = value
    parameters = restore.parameters_in(st.query_params.to_dict())
    if parameters:
        state["t-wanted-parameters"] = parameters
    if "file" in st.query_params:
        restore.want_file(st.query_params["file"], st.query_params.get("digest", ""), PREFIX)


def _number(name: str, text: str) -> None:
    low, high = _NUMBERS[name]
    if text.isdecimal() and low <= int(text) <= high:
        st.session_state[PREFIX + name] = int(text)
    else:
        restore.note(f"{name} “{text[:60]}” is no whole number from {low} on")


def write(more: dict[str, str], changes: dict[str, object], parameters: dict[str, str]) -> None:
    """Put the present choices into the address bar.

    Args:
        more: name and digest of an upload, or nothing.
        changes: what if: column → value.
        parameters: of the method, those that differ from the defaults.
    """
    state = st.session_state
    query = {
        name: str(state[PREFIX + name])
        for name, usual in _TEXTS.items()
        if state.get(PREFIX + name, usual) not in (usual, None, "")
    }
    query |= {name: str(state[PREFIX + name]) for name in _NUMBERS if state.get(PREFIX + name)}
    query |= more
    query |= {f"{_WHAT_IF}{name}": str(value) for name, value in changes.items()}
    query |= {f"{restore.PARAMETER}{name}": value for name, value in parameters.items()}
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)
