"""Swarm: all models of all pairs or columns, by score or reliance; a click opens one of them."""

from __future__ import annotations

from typing import cast

import streamlit as st

from components import interaction_swarm, interaction_words, swarm_places
from components.swarm_places import Placed
from components.swarm_values import Of, Value
from components.words import plain
from dashboard.interactions import card, marks
from dashboard.interactions.keys import PREFIX
from dashboard.interactions.looked import Drawn, Looked, beside, chart
from dashboard.state import restore

_VALUES = {"score": "Interaction score", "reliance": "Reliance", "ratio": "Reliance as a ratio"}
_PLACED = "i-placed"


def show(looked: Looked) -> Drawn:
    """Draw the view; return the swarm."""
    found = looked.found
    of, value, absolute, box, threshold = _choices(looked)
    drawn = interaction_swarm.figure(
        found,
        of=of,
        value=value,
        epsilon=looked.epsilon,
        absolute=absolute,
        box=box,
        threshold=threshold,
        chosen=looked.dot,
        placed=_placed(looked, of, value, absolute=absolute),
    )
    left, right = beside(5, 3)
    with left, st.container(border=True, key="card-swarm"):
        alt = interaction_swarm.alt(found, of=of, value=value, epsilon=looked.epsilon)
        chart(drawn, "swarm", alt, lambda data: _take(looked, data))
        words = interaction_words.swarm_sentence(found, of, value, looked.epsilon)
        st.markdown(plain(words))
    with right, st.container(key="i-beside"):
        card.show(looked)
    return Drawn(drawn, "Swarm of good models", words)


def _placed(looked: Looked, of: Of, value: Value, *, absolute: bool) -> list[Placed]:
    """Return where the dots lie: laid once, for only their colours differ in smaller sets."""
    found, dot = looked.found, looked.dot
    key = (found.key, of, value, absolute)
    kept: tuple[object, list[Placed]] = st.session_state.get(_PLACED, (None, []))
    if kept[0] != key or not (dot is None or swarm_places.drawn(kept[1], dot)):
        kept = key, swarm_places.laid(found, of, value, absolute=absolute, keep=dot)
        st.session_state[_PLACED] = kept
    return kept[1]


def _take(looked: Looked, data: list[int]) -> None:
    pair, model = data[:2]
    marks.look_at(looked.found, pair, str(model) if model >= 0 else f"r{-1 - model}")


def _choices(looked: Looked) -> tuple[Of, Value, bool, bool, float | None]:
    features = "Regions" if looked.found.regions is not None else "Columns"
    with st.container(horizontal=True, vertical_alignment="bottom", key="i-swarm-choices"):
        of = _segmented("of", "Of", {"pairs": "Pairs", "columns": features})
        value = _segmented("value", "By", _VALUES)
        absolute = st.toggle("Sizes only", key=_usual("absolute", False), persist_state="session")
        box = st.toggle("Boxes", key=_usual("box", False), persist_state="session")
        threshold = st.number_input(
            "Line at", 0.0, 1e9, key=_usual("threshold", 0.0), persist_state="session",
            step=0.01, format="%g", width=130, help="A line at this value; 0 for none.",
        )  # fmt: skip
    return cast(Of, of), cast(Value, value), absolute, box, threshold or None


def _usual(name: str, value: object) -> str:
    key = f"{PREFIX}{name}"
    restore.aloud(key, value)
    return key


def _segmented(name: str, title: str, options: dict[str, str]) -> str:
    key = f"{PREFIX}{name}"
    restore.valid(key, list(options))
    restore.aloud(key, next(iter(options)))
    chosen = st.segmented_control(
        title,
        list(options),
        format_func=options.__getitem__,
        key=key,
        persist_state="session",
        required=True,
    )
    return str(chosen)
