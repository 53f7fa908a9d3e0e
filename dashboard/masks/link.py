"""From a link to the page's widgets, once; and back into the address bar."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from dashboard.controls import picture as picture_control
from dashboard.masks.strokes import LONGEST, Drawing
from dashboard.state import restore
from engine.inputs.images import ImageInput

PREFIX = "m."
_DONE = "m-restored"
_DRAWING = "m-drawing"
_VERSION = "m-version"
_WANTED = "m-wanted-parameters"
# What a link carries beside picture, parameters and drawing: name → what goes without saying.
_TEXTS = {
    "model": "", "generator": "uniform", "guide": "", "cells": "usual", "fill": "mean",
    "view": "fills", "method": "", "way": "remove",
}  # fmt: skip
_NUMBERS = {"hidden": (50, 0, 100), "seed": (0, 0, 2**31 - 1), "top": (20, 0, 100)}
_PICTURE = ("sample", "fit")


def begin() -> None:
    """Put what a link asks for into the widgets' state, the first time a session is here."""
    state = st.session_state
    if state.get(_DONE):
        return
    state[_DONE] = True
    query = st.query_params.to_dict()
    restore.take_texts(query, PREFIX, (*_TEXTS, *_PICTURE))
    for name, (_, low, high) in _NUMBERS.items():
        restore.take_number(name, query.get(name, ""), low, high, PREFIX)
    state[_WANTED] = restore.parameters_in(query)
    _read_drawing(query.get("drawn", ""))


def _read_drawing(text: str) -> None:
    if not text:
        return
    found = Drawing.from_text(text)
    if found is None:
        restore.note("the drawn mask in it cannot be read")
    else:
        keep(found)


def wanted_parameters() -> dict[str, str]:
    """Return the parameters that a link gives to the generator; only the first time."""
    found: dict[str, str] = st.session_state.pop(_WANTED, {})
    return found


def drawing(size: tuple[int, int]) -> Drawing:
    """Return what is drawn, for a network that sees so many rows and columns of pixels."""
    kept: Drawing | None = st.session_state.get(_DRAWING)
    if kept is None:
        return Drawing.blank(size)
    if kept.keep.shape != size:
        kept = kept.fitted(size)
        st.session_state[_DRAWING] = kept
    return kept


def keep(now: Drawing) -> None:
    """Keep another drawing; the chart that it was made on begins anew, without its selection."""
    st.session_state[_DRAWING] = now
    st.session_state[_VERSION] = version() + 1


def version() -> int:
    """Return how often the drawing was changed: part of the key of what is drawn on."""
    return int(st.session_state.get(_VERSION, 0))


def write(picture: ImageInput | None, parameters: Mapping[str, str]) -> bool:
    """Put the present choices into the address bar.

    Args:
        picture: that is looked at.
        parameters: of the generator, as text, those that are not at their default.

    Returns:
        Whether all of it is in; a drawing may be too intricate for a link.
    """
    state = st.session_state
    query = {
        name: str(state[PREFIX + name])
        for name, usual in _TEXTS.items()
        if state.get(PREFIX + name, usual) not in (usual, None, "")
    }
    for name, (usual, _, _) in _NUMBERS.items():
        if state.get(PREFIX + name, usual) != usual:
            query[name] = str(state[PREFIX + name])
    told = picture_control.chosen_in_link(picture, PREFIX)
    query |= {name: value for name, value in told.items() if value and value != "crop"}
    query |= {restore.PARAMETER + name: value for name, value in parameters.items()}
    drawn = _drawn()
    whole = len(drawn) <= LONGEST
    if drawn and whole:
        query["drawn"] = drawn
    if restore.wanted_model() is None and st.query_params.to_dict() != query:
        st.query_params.from_dict(query)
    return whole


def _drawn() -> str:
    kept: Drawing | None = st.session_state.get(_DRAWING)
    if kept is None or st.session_state.get(f"{PREFIX}generator") != "drawn":
        return ""
    return "" if bool(np.all(kept.keep)) else kept.as_text()
