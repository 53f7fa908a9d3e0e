"""From a link to the page's widgets, once; and back into the address bar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import streamlit as st

from dashboard.controls import picture as picture_control
from dashboard.heads import marks
from dashboard.heads.marks import Marks
from dashboard.state import restore, returning
from engine.inputs.images import ImageInput

T = TypeVar("T")

PREFIX = "h."
SECOND = "h2."
_DONE = "h-restored"
_MARKS = "h-marks"
_SHOWN = 40
_WANTED_PARAMETERS = "h-wanted-parameters"
_VERSIONS = "h-versions"
# Groups of widgets that tell and change what is marked: name → which part of the marks.
_TELLING = {"head": "head", "patch": "place", "list": "off", "share": "off"}
# What a link carries beside the picture and the marks: name → what goes without saying.
_TEXTS = {
    "model": "", "metric": "", "second": "", "on": "this", "view": "maps", "beside": "nothing",
    "other": "", "way": "out", "top": "0", "class": "", "output": "probability", "tested": "24",
    "followed": "accuracy", "measure": "distance", "many": "12", "code": "pca", "plane": "pca",
}  # fmt: skip
_PICTURE = ("sample", "fit")


def begin() -> None:
    """Put what a link asks for into the widgets' state, the first time a session is here."""
    state = st.session_state
    if state.get(_DONE):
        return
    state[_DONE] = True
    query = st.query_params.to_dict()
    restore.take_texts(query, PREFIX, (*_TEXTS, *_PICTURE))
    if query.get("beside-sample"):
        state[f"{SECOND}sample"] = query["beside-sample"]
    state[_WANTED_PARAMETERS] = restore.parameters_in(query)
    _read_marks(query)


def wanted_parameters() -> dict[str, str]:
    """Return the parameters that a link gives to the metric; only the first time."""
    found: dict[str, str] = st.session_state.pop(_WANTED_PARAMETERS, {})
    return found


def _read_marks(query: dict[str, str]) -> None:
    head, patch = (_pair(query, name) for name in ("head", "patch"))
    off, odd = marks.off_from_text(query.get("off", ""))
    if odd:
        restore.note(f"“{odd[0][:_SHOWN]}” is no head (a head is 4.1: layer 4, head 1)")
    keep(Marks(head or (0, 0), None, off))
    st.session_state["h-wanted"] = (head is not None, patch)


def _pair(query: dict[str, str], name: str) -> tuple[int, int] | None:
    text = query.get(name, "")
    found = marks.from_text(text)
    if text and found is None:
        restore.note(f"{name} “{text[:_SHOWN]}” is no pair of numbers from 1, like 4.1")
    return found


def kept() -> Marks:
    """Return what is marked now."""
    found: Marks = st.session_state.get(_MARKS, Marks())
    return found


def keep(now: Marks, by: str = "") -> None:
    """Mark something else.

    Widgets that tell what has been changed by other means get another key. Else, of two clicks in
    quick succession, the second could come with what they told before the first, as if the user
    had put that back.

    Args:
        now: what is marked.
        by: the widgets that the user changed it with, one of ``_TELLING``; "" for a click.
    """
    before, versions = kept(), st.session_state.setdefault(_VERSIONS, {})
    for widgets, aspect in _TELLING.items():
        if widgets != by and getattr(before, aspect) != getattr(now, aspect):
            versions[widgets] = versions.get(widgets, 0) + 1
    st.session_state[_MARKS] = now


def first(key: str, value: T) -> T | None:
    """Return what a widget begins with: what is marked when its key is new, ever after the same.

    None where it comes back with what it had.

    A value put into the widget's state instead would reach the browser too late for a second
    click that follows soon.
    """
    begun: dict[str, T] = st.session_state.setdefault("h-begun", {})
    return None if returning.tell(key) else begun.setdefault(key, value)


def key(widgets: str, name: str) -> str:
    """Return the present key of one of the widgets that tell what is marked."""
    version = st.session_state.get(_VERSIONS, {}).get(widgets, 0)
    return f"{PREFIX}{name}.{version}" if version else f"{PREFIX}{name}"


def write(
    picture: ImageInput | None,
    patch: tuple[int, int] | None,
    parameters: Mapping[str, str] | None = None,
) -> None:
    """Put the present choices into the address bar.

    Args:
        picture: that is looked at.
        patch: row and column that ask, on the grid of the head that is looked at.
        parameters: of the metric, by their names in a link.
    """
    state, now = st.session_state, kept()
    query = {
        name: str(state[PREFIX + name])
        for name, usual in _TEXTS.items()
        if str(state.get(PREFIX + name) or "") not in (usual, "")
    } | dict(parameters or {})
    told = picture_control.chosen_in_link(picture, PREFIX)
    query |= {name: value for name, value in told.items() if value and value != "crop"}
    query["head"] = marks.as_text(now.head)
    if patch is not None:
        query["patch"] = marks.as_text(patch)
    if now.off:
        query["off"] = marks.off_as_text(now.off)
    if query.get("beside") == "picture" and state.get(f"{SECOND}sample"):
        query["beside-sample"] = state[f"{SECOND}sample"]
    if restore.wanted_model() is None and st.query_params.to_dict() != query:
        st.query_params.from_dict(query)
