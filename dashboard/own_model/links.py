"""Links to a model that is not in the list: nothing is loaded before the user says so."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import streamlit as st

from components.words import plain
from dashboard.own_model import draft
from dashboard.running import models, naming, remembered
from dashboard.state import restore
from engine.errors import HaloscopeError

if TYPE_CHECKING:
    from engine.models.corrections import Corrections

_PAGE = "pages/own_model.py"
_READ = "own-link-read"


def offer() -> None:
    """Say that a link asks for a model that is not here, and lead to where it can be loaded."""
    wanted = restore.wanted_model()
    if wanted is None:
        return
    if wanted in models.references():
        restore.forget_wanted_model()
        return
    upload = _upload_of(wanted)
    if upload is None:
        st.info(
            f"This link asks for the model “{_short(wanted)}”, which is not in the list. It is "
            "not loaded by itself, since that may fetch files or take long.",
            icon=":material/link:",
        )
    else:
        st.info(
            f"This link was made with the weights “{plain(upload[0])}” ({plain(upload[1])}…). "
            "Upload that file to see it.",
            icon=":material/link:",
        )
    with st.container(horizontal=True, key="wanted-model"):
        label = "Load it …" if upload is None else "Upload it …"
        if st.button(label, icon=":material/arrow_forward:", key="to-own-model"):
            st.session_state["own-fill-in"] = wanted
            st.switch_page(_PAGE)
        st.button("Not now", type="tertiary", key="drop-wanted", on_click=_drop)


def _drop() -> None:
    restore.forget_wanted_model()


def fill_in() -> None:
    """Put what a link asks for into the widgets of the page "Own model", once."""
    state = st.session_state
    wanted = state.pop("own-fill-in", "")
    if not wanted:
        return
    if _upload_of(wanted) is None:
        state["own.where"], state["own.ref"] = "Reference", wanted
        return
    state["own.where"] = "Upload"
    state["own-wanted"] = wanted
    state["own.arch"] = dict(parse_qsl(wanted.partition("?")[2])).get("arch")


def take_up() -> None:
    """Go on after a reload of the page with what its address says, once in a session.

    A model that was loaded in this process is shown again; any other is only filled in.
    """
    state = st.session_state
    wanted = str(st.query_params.get("model", ""))
    if state.get(_READ) or not wanted or draft.found_now() is not None:
        state[_READ] = True
        return
    state[_READ] = True
    state.setdefault("own-fill-in", wanted)
    known = remembered.find(wanted)
    if known is not None and state["own-fill-in"] == wanted:
        restore.is_unknown(wanted)  # joins the list if it was in it
        draft.put(known.found, known.tested)


def write() -> None:
    """Put the model that is shown into the address bar."""
    found = draft.found_now()
    query = {} if found is None else {"model": found.model.ref}
    if found is not None and st.query_params.to_dict() != query:
        st.query_params.from_dict(query)


def wanted_upload() -> tuple[str, str] | None:
    """Return name and digest of the weights that a link was made with."""
    wanted = st.session_state.get("own-wanted")
    return None if wanted is None else _upload_of(wanted)


def wanted_corrections(arch: str, digest: str) -> Corrections:
    """Return what a link corrects of an upload, if this is the one."""
    from engine.models.corrections import OPTIONS, Corrections

    wanted = st.session_state.get("own-wanted")
    told = None if wanted is None else _upload_of(wanted)
    if wanted is None or told is None or not digest.startswith(told[1]):
        return Corrections()
    options = dict(parse_qsl(wanted.partition("?")[2]))
    if options.get("arch") != arch:
        return Corrections()
    mine = {name: text for name, text in options.items() if name in OPTIONS}
    if not mine.get("classes", "[").startswith("["):  # names, and no file of this machine
        del mine["classes"]
    try:
        return Corrections.from_options(mine)
    except HaloscopeError as error:
        st.warning(f"The link could not be followed in full: {plain(str(error))}.")
        return Corrections()


def _upload_of(ref: str) -> tuple[str, str] | None:
    from engine.models.uploads import wanted_upload as told

    return told(ref)


def _short(ref: str) -> str:
    return plain(naming.readable(ref))
