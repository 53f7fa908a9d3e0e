"""Class names: pasted, or from a file."""

from __future__ import annotations

import streamlit as st

from components.words import sentence
from dashboard.state import restore
from engine.errors import HaloscopeError, InputError
from engine.models.corrections import parse_classes

_ENDINGS = ["txt", "json", "csv"]


def choose(key: str = "own.classes") -> str:
    """Show the choosers; return the names as text, or ""."""
    with st.expander("Class names, if you have them", icon=":material/label:"):
        st.caption("Needed only where the model does not tell them itself.")
        return box(key)


def box(key: str) -> str:
    """Show the box, and the file that fills it; return what stands in the box."""
    restore.aloud(key, "")
    text = st.text_area(
        "One a line, or JSON",
        key=key,
        persist_state="session",
        placeholder="cat\ndog\n…",
        height=120,
    )
    st.file_uploader(
        "Or a file",
        type=_ENDINGS,
        key=f"{key}-file",
        on_change=_take,
        args=(key,),
        help="Text with one name a line, JSON (a list, or index to name), or CSV.",
    )
    problem = st.session_state.get(f"{key}-problem")
    if problem:
        st.error(sentence(problem))
    return text or ""


def _take(key: str) -> None:
    """Fill the box from a file; it stays as it is if the file cannot be read."""
    file = st.session_state.get(f"{key}-file")
    st.session_state[f"{key}-problem"] = ""
    if file is None:
        return
    try:
        names = parse_classes(_text(file.name, file.getvalue()), file.name)
    except HaloscopeError as error:
        st.session_state[f"{key}-problem"] = str(error)
    else:
        st.session_state[key] = "\n".join(names)


def _text(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"classes: {name} is no text") from None


def parsed(text: str) -> tuple[str, ...] | None:
    """Return the names that a text holds; None where there is none.

    Raises:
        ModelError: JSON that cannot be read.
    """
    return parse_classes(text, "the box") if text.strip() else None
