"""From a link to the widgets, once, when a session begins; and back into the address bar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from components.words import plain
from dashboard.running import models, own_models
from dashboard.state import returning
from dashboard.state.selection import Selection

PARAMETER = "p."
_DONE = "restored"
_WANTED_FILE = "wanted-file"
_WANTED_PARAMETERS = "wanted-parameters"
_LONGEST = 60  # characters of a link's value that are told
_LINK_READ = "link-read"
_NOTES = "link-notes"
_WANTED_MODEL = "wanted-model"
_HELD = "held-selection"
_MODEL_NOTE = "model-note"


def begin() -> None:
    """Put what a link asks for into the widgets' state, the first time a session runs."""
    state = st.session_state
    if state.get(_DONE):
        return
    state[_DONE] = True
    put(_without_unknown_model(Selection.from_query(st.query_params.to_dict())))


def put(link: Selection) -> None:
    """Put what a link asks for into the widgets' state."""
    state = st.session_state
    for name in (
        "model",
        "sample",
        "fit",
        "target",
        "versus",
        "method",
        "output",
        "view",
        "background",
    ):
        if getattr(link, name):
            state[name] = getattr(link, name)
    for name, low, high in (("seed", 0, 2**31 - 1), ("clip", 50, 100), ("opacity", 0, 100)):
        take_number(name, getattr(link, name), low, high)
    if link.digest:
        state["source"] = "Upload"
        state[_WANTED_FILE] = (link.file, link.digest)
    state[_WANTED_PARAMETERS] = (link.method, dict(link.parameters))


def take_texts(query: Mapping[str, str], prefix: str, names: Iterable[str]) -> None:
    """Put what a link asks for into a page's widgets, whose keys have a prefix.

    A user's own model that is not in the list is noted instead, and so is the file that a link
    was made with.
    """
    for name in names:
        value = query.get(name, "")
        if name == "model" and is_unknown(value):
            want_model(value)
        elif value:
            st.session_state[prefix + name] = value
    if query.get("digest"):
        want_file(query.get("file", ""), query["digest"], prefix)


def take_number(name: str, text: str, low: int, high: int, prefix: str = "") -> None:
    """Put a whole number that a link asks for into a widget; any other text is told."""
    if text.isdecimal() and low <= int(text) <= high:
        st.session_state[prefix + name] = int(text)
    elif text:
        note(f"{name} “{_short(text)}” is no whole number from {low} to {high}")


def parameters_in(query: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters that a link gives, ``p.name=value``."""
    return {
        name.removeprefix(PARAMETER): value
        for name, value in query.items()
        if name.startswith(PARAMETER)
    }


def _without_unknown_model(link: Selection) -> Selection:
    """Keep a link to a user's own model until that is here; what it asks of it makes no sense."""
    if not is_unknown(link.model):
        return link
    want_model(link.model, link)
    return replace(link, model="", target="", versus="", method="", background="", parameters=())


def is_unknown(ref: str) -> bool:
    """Whether a reference names a user's own model that is not in the list.

    One that was added in this process before, in another tab say, joins it.
    """
    if ":" not in ref and "?" not in ref:
        return False
    known = models.references()
    return ref not in known and not own_models.rejoin(ref, {models.title(one) for one in known})


def want_model(ref: str, link: Selection | None = None) -> None:
    """Note that a link asks for a model that is not in the list."""
    st.session_state[_WANTED_MODEL] = (ref, link)


def wanted_model() -> str | None:
    """Return the reference of a model that a link asks for and that is not in the list."""
    wanted = st.session_state.get(_WANTED_MODEL)
    return None if wanted is None else wanted[0]


def forget_wanted_model() -> None:
    """Ask no more for that model."""
    st.session_state.pop(_WANTED_MODEL, None)
    st.session_state.pop(_HELD, None)


def follow_to(ref: str) -> None:
    """Put what a link asks of a model into the widgets, once the model is here."""
    wanted = st.session_state.get(_WANTED_MODEL)
    if wanted is not None and wanted[0] == ref:
        forget_wanted_model()
        if wanted[1] is not None:
            put(wanted[1])


def wanted_file(prefix: str = "") -> tuple[str, str] | None:
    """Return name and digest of the user's file that a link was made with.

    Args:
        prefix: of the keys of the page that it was made for.
    """
    return st.session_state.get(f"{prefix}{_WANTED_FILE}")


def want_file(file: str, digest: str, prefix: str) -> None:
    """Note that a link was made with a user's file."""
    st.session_state[f"{prefix}source"] = "Upload"
    st.session_state[f"{prefix}{_WANTED_FILE}"] = (file, digest)


def tell_wanted(wanted: tuple[str, str] | None, digest: str | None) -> None:
    """Say which file a link was made with, unless the one that is here is it.

    Args:
        wanted: name and the beginning of the digest of that file, if there is one.
        digest: of what the user has uploaded, or None.
    """
    if wanted and (digest is None or not digest.startswith(wanted[1])):
        st.info(
            f"This link was made with “{plain(wanted[0])}” ({plain(wanted[1])}…). "
            "Upload that file to see it."
        )


def wanted_parameters(method: str) -> dict[str, str]:
    """Return the parameters that a link gives to a method; only the first time it is asked."""
    name, parameters = st.session_state.get(_WANTED_PARAMETERS, ("", {}))
    if name not in ("", method):
        return {}
    st.session_state[_WANTED_PARAMETERS] = ("", {})
    return parameters


def valid(name: str, options: list[str], *, first: bool = True) -> None:
    """Replace a widget's value that is none of its options.

    A link may ask for anything: that is told. Later another model may have other options.

    Args:
        name: key of the widget.
        options: what it offers.
        first: take the first option instead; else the widget finds its default itself.
    """
    if st.session_state.get(name, "") is None:  # a control that was away comes back without one
        del st.session_state[name]
    elif name in st.session_state and st.session_state[name] not in options:
        asked = _short(st.session_state[name])
        missed(f"{name.rpartition('.')[2]} “{asked}” is not to be had here")
        if first:  # said aloud, or the browser would go on showing the old one
            st.session_state[name] = options[0]
        else:
            del st.session_state[name]
    returning.tell(name)


def missed(text: str) -> None:
    """Note what a link asks for and is not there; nothing once the link is read."""
    if _LINK_READ not in st.session_state:
        note(text)


def aloud(key: str, usual: Any) -> None:
    """Give a widget its value, at first the usual one, and tell the browser when it comes back."""
    if key not in st.session_state:
        st.session_state[key] = usual
    returning.tell(key)


def valid_model(name: str, refs: list[str]) -> None:
    """The same for the chooser of models: one that was removed is told by its name."""
    gone = own_models.removed_title(str(st.session_state.get(name, "")))
    if gone:
        st.session_state[name] = refs[0]
        now = plain(models.title(refs[0]))
        told = f"“{plain(gone)}” was removed; this is {now}."
        st.session_state[_MODEL_NOTE] = (name, refs[0], told)
    valid(name, refs)


def tell_removed(name: str) -> None:
    """Say that a model was removed, where another takes its place, until one is chosen."""
    about, ref, told = st.session_state.get(_MODEL_NOTE, ("", "", ""))
    if about != name:
        return
    if st.session_state.get(name) == ref:
        st.info(told, icon=":material/delete:")
    else:
        del st.session_state[_MODEL_NOTE]


def note_unknown(wanted: Mapping[str, str], declared: list[str]) -> None:
    """Tell parameters of a link that the method does not have."""
    for name in wanted:
        if name not in declared:
            note(f"the method has no parameter “{_short(name)}”")


def note(text: str) -> None:
    """Tell that a link could not be followed in one respect."""
    st.session_state.setdefault(_NOTES, []).append(text)


def tell_notes(place: Any = st) -> None:
    """Say in a place of the page in what respects a link could not be followed."""
    notes = st.session_state.pop(_NOTES, [])
    if notes:
        place.warning(f"The link could not be followed in full: {plain('; '.join(notes))}.")


def mark_read() -> None:
    """Note that the link has been read: what is not to be had from now on is not of its making."""
    st.session_state[_LINK_READ] = True


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def write(selection: Selection) -> None:
    """Put the present choices into the address bar, so that the link restores them."""
    state = st.session_state
    mark_read()
    if wanted_model() is not None and state.setdefault(_HELD, selection) == selection:
        return  # the link stays, so that it can be reloaded, until something else is chosen
    query = selection.query()
    if st.query_params.to_dict() != query:
        st.query_params.from_dict(query)
