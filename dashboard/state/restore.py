"""From a link to the widgets, once, when a session begins; and back into the address bar."""

from __future__ import annotations

import streamlit as st

from dashboard.state.selection import Selection

_DONE = "restored"
_WANTED_FILE = "wanted-file"
_WANTED_PARAMETERS = "wanted-parameters"


def begin() -> None:
    """Put what a link asks for into the widgets' state, the first time a session runs."""
    state = st.session_state
    if state.get(_DONE):
        return
    state[_DONE] = True
    link = Selection.from_query(st.query_params.to_dict())
    for name in ("model", "sample", "fit", "target", "versus", "method", "output", "view"):
        if getattr(link, name):
            state[name] = getattr(link, name)
    for name, low, high in (("seed", 0, 2**31 - 1), ("clip", 50, 100), ("opacity", 0, 100)):
        text = getattr(link, name)
        if text.isdecimal():
            state[name] = min(max(int(text), low), high)
    if link.digest:
        state["source"] = "Upload"
        state[_WANTED_FILE] = (link.file, link.digest)
    state[_WANTED_PARAMETERS] = (link.method, dict(link.parameters))


def wanted_file() -> tuple[str, str] | None:
    """Return name and digest of the user's file that a link was made with."""
    return st.session_state.get(_WANTED_FILE)


def wanted_parameters(method: str) -> dict[str, str]:
    """Return the parameters that a link gives to a method; only the first time it is asked."""
    name, parameters = st.session_state.get(_WANTED_PARAMETERS, ("", {}))
    if name not in ("", method):
        return {}
    st.session_state[_WANTED_PARAMETERS] = ("", {})
    return parameters


def valid(name: str, options: list[str]) -> None:
    """Drop a widget's value that is none of its options (a link may ask for anything)."""
    if st.session_state.get(name, "") is None:  # a control that was away comes back without one
        del st.session_state[name]
    elif name in st.session_state and st.session_state[name] not in options:
        told = st.session_state.setdefault("link-notes", [])
        told.append(f"{name} “{st.session_state[name]}” is not to be had here")
        del st.session_state[name]


def write(selection: Selection) -> None:
    """Put the present choices into the address bar, so that the link restores them."""
    query = selection.query()
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)
