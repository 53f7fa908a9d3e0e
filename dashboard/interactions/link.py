"""From a link to the page's widgets, once; and back into the address bar."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from dashboard.interactions import keys, marks
from dashboard.interactions.keys import PREFIX
from dashboard.interactions.marks import Marks
from dashboard.state import restore

if TYPE_CHECKING:
    from dashboard.interactions.choosing import Asked

_DONE = "i-restored"
# What a link carries beside table or picture: name → what goes without saying.
_TEXTS = {
    "model": "", "table": "", "allow": keys.SHARE, "view": "halos", "of": "pairs",
    "value": "score", "show": "reference",
}  # fmt: skip
_NUMBERS = {
    "row": (1, 1, 2**31 - 1), "rows": (0, 2, 10**5), "repeats": (keys.REPEATS, 30, 10**4),
    "retrained": (0, 0, 200), "seed": (0, 0, 2**31 - 1),
    "regions": (keys.REGIONS, 2, keys.MOST_REGIONS), "ring": (5, 1, 5),
}  # fmt: skip
_DECIMALS = {
    "rate": (keys.RATE, 0.01, keys.MOST_RATE), "epsilon": (keys.EPSILON, 1e-9, 1e9),
    "threshold": (0.0, 0.0, 1e9),
}  # fmt: skip
_FLAGS = {"absolute": False, "box": False, "compare": False, "rings": True}
_PICTURE = ("sample", "fit")
_PAIR, _MODEL = re.compile(r"(\d{1,4}):(\d{1,4})"), re.compile(r"\d{1,4}|r\d{1,4}|h\d\.\d{1,2}")
_SHOWN = 40


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
    for name, (_, least, most) in _DECIMALS.items():
        _decimal(name, query.get(name, ""), least, most)
    for name in _FLAGS:
        if name in query:
            state[PREFIX + name] = query[name] == "1"
    if "label" in query:
        state["i-label"] = query["label"]
    _places(query)


def _decimal(name: str, text: str, low: float, high: float) -> None:
    if not text:
        return
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if low <= value <= high:
        st.session_state[PREFIX + name] = value
    else:
        restore.note(f"{name} “{text[:_SHOWN]}” is no number from {low:g} to {high:g}")


def _places(query: Mapping[str, str]) -> None:
    """Read pairs, the one that is looked at with its model, and features."""
    wanted = [text for text in query.get("pairs", "").split(",") if text]
    st.session_state[f"{PREFIX}pairs"] = [text for text in wanted if _PAIR.fullmatch(text)]
    for text in wanted:
        if not _PAIR.fullmatch(text):
            restore.note(f"“{text[:_SHOWN]}” is no pair of features (a pair is 0:3)")
    text, model = query.get("pair", ""), query.get("one", "")
    pair = _PAIR.fullmatch(text)
    if text and not pair:
        restore.note(f"pair “{text[:_SHOWN]}” is no pair of features (a pair is 0:3)")
    if model and not _MODEL.fullmatch(model):
        restore.note(f"“{model[:_SHOWN]}” is no model of a pair")
        model = ""
    if pair:
        marks.keep(Marks((int(pair[1]), int(pair[2])), model))
    features = [part for part in query.get("features", "").split(",") if part.isdecimal()]
    if features:
        st.session_state[f"{PREFIX}features"] = [int(part) for part in features]


def write(asked: Asked) -> None:
    """Put the present choices into the address bar."""
    state, now = st.session_state, marks.kept()
    query = {
        name: str(state[PREFIX + name])
        for name, usual in _TEXTS.items()
        if state.get(PREFIX + name, usual) not in (usual, None, "")
    }
    for name, (ordinary, *_) in {**_NUMBERS, **_DECIMALS}.items():
        value = state.get(PREFIX + name)
        if value is not None and value != ordinary:
            query[name] = f"{value:.15g}"
    for name, usual in _FLAGS.items():
        if state.get(PREFIX + name, usual) != usual:
            query[name] = str(int(not usual))
    query |= _given(asked)
    if state.get(f"{PREFIX}pairs"):
        query["pairs"] = ",".join(state[f"{PREFIX}pairs"])
    if now.pair is not None:
        query |= {"pair": f"{now.pair[0]}:{now.pair[1]}"}
        query |= {"one": now.model} if now.model else {}
    if state.get(f"{PREFIX}features"):
        query["features"] = ",".join(map(str, state[f"{PREFIX}features"]))
    if restore.wanted_model() is None and st.query_params.to_dict() != query:
        st.query_params.from_dict(query)


def _given(asked: Asked) -> dict[str, str]:
    """Return what a link says of table or picture."""
    from dashboard.controls import table as table_control

    if asked.model is None:
        return {}
    if asked.table is None and asked.picture is None:
        told = table_control.in_link(PREFIX)
        return told or _of_picture(asked)
    if asked.table is None:
        return _of_picture(asked)
    told = table_control.in_link(PREFIX)
    return told | ({"label": asked.label} if told and asked.label else {})


def _of_picture(asked: Asked) -> dict[str, str]:
    from dashboard.controls import picture as picture_control

    if f"{PREFIX}source" not in st.session_state:
        return {}
    told = picture_control.chosen_in_link(asked.picture, PREFIX)
    return {name: value for name, value in told.items() if value and value != "crop"}
