"""From a link to the page's widgets, once; and back into the address bar."""

from __future__ import annotations

import streamlit as st

from dashboard.controls import picture as picture_control
from dashboard.prune import keys
from dashboard.prune.keys import OVERRIDES, PREFIX
from dashboard.state import restore
from engine.inputs.images import ImageInput

_DONE = "pr-restored"
_SHOWN = 40
# What a link carries beside the picture: name → what goes without saying.
_TEXTS = {
    "model": "", "judged": "", "path": "", "many": keys.MANY, "criterion": keys.FIRST,
    "scope": keys.SCOPE, "repair": keys.REPAIR, "step": keys.STEP, "view": "network",
    "value": "accuracy", "along": "ratio", "method": "", "layer": "", "measure": "margin",
    "of": "", "criterion2": "", "scope2": "", "repair2": "", "other": "", "round": keys.ROUND,
    "epochs": keys.EPOCHS,
}  # fmt: skip
_NUMBERS = {
    "ratio": (keys.RATIO, 0, keys.MOST), "draws": (keys.DRAWS, 1, 20),
    "seed": (0, 0, 2**31 - 1), "ratio2": (keys.RATIO_TWO, 0, keys.MOST),
}  # fmt: skip
_FLAGS = {"unrepaired": False, "difference": False, "absolute": False}
_LISTS = ("also", "corruptions")
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
    for name in _FLAGS:
        if name in query:
            state[PREFIX + name] = query[name] == "1"
    for name in _LISTS:
        if query.get(name):
            state[PREFIX + name] = query[name].split(",")
    state[OVERRIDES] = _overrides(query.get("layers", ""))


def _overrides(text: str) -> dict[str, int]:
    """Read ratios of single layers, "conv1:30,conv2:0"."""
    found = {}
    for part in filter(None, text.split(",")):
        name, _, percent = part.rpartition(":")
        if name and percent.isdecimal() and int(percent) <= keys.MOST:
            found[name] = int(percent)
        else:
            restore.note(
                f"“{part[:_SHOWN]}” is no ratio of a layer (one is conv1:30, up to {keys.MOST})"
            )
    return found


def write(picture: ImageInput | None) -> None:
    """Put the present choices into the address bar."""
    state = st.session_state
    query = {
        name: str(state[PREFIX + name])
        for name, usual in _TEXTS.items()
        if str(state.get(PREFIX + name) or "") not in (usual, "")
    }
    for name, (ordinary, *_) in _NUMBERS.items():
        if state.get(PREFIX + name, ordinary) != ordinary:
            query[name] = str(state[PREFIX + name])
    for name, usual in _FLAGS.items():
        if bool(state.get(PREFIX + name, usual)) != usual:
            query[name] = str(int(not usual))
    for name in _LISTS:
        if state.get(PREFIX + name):
            query[name] = ",".join(state[PREFIX + name])
    own: dict[str, int] = state.get(OVERRIDES, {})
    if own:
        query["layers"] = ",".join(f"{name}:{percent}" for name, percent in sorted(own.items()))
    if f"{PREFIX}source" in state:
        told = picture_control.chosen_in_link(picture, PREFIX)
        query |= {name: value for name, value in told.items() if value and value != "crop"}
    if restore.wanted_model() is None and st.query_params.to_dict() != query:
        st.query_params.from_dict(query)
