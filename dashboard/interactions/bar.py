"""Which of the nested sets, which pair, which model: the widgets that say it, beside the clicks."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from components import saying
from components.interaction_names import order_of, pair_named
from components.words import plain
from dashboard.interactions import marks
from dashboard.interactions.keys import PREFIX
from dashboard.interactions.looked import Looked
from dashboard.interactions.shown import Shown
from dashboard.state import restore
from engine.interaction_results import Interactions


def show(now: Shown) -> Looked:
    """Draw them; return what is looked at."""
    found = now.found
    pair, member = marks.settle(found, keeping=now.current)
    with st.container(border=True, key="i-bar"):
        left, middle, right = st.columns([4, 4, 2], vertical_alignment="bottom")
        with left:
            rate = _ring(found)
        with middle:
            _pair(found, pair)
        with right:
            _model(found)
    return Looked(now.asked, found, now.current, rate, pair, member)


def allowed(found: Interactions, rate: int) -> str:
    """Say how far above the reference's loss a model may be: "4 %", or "0.004"."""
    rates = found.manifest["display"]["rates"]
    return (
        f"{saying.number(100 * rates[rate], 2)} %"
        if rates
        else saying.number(float(found.epsilons[rate]), 2)
    )


def _ring(found: Interactions) -> int:
    """Show the slider of the nested sets; nothing is computed anew for it."""
    rings = list(range(1, len(found.epsilons) + 1))
    key = f"{PREFIX}ring"
    if st.session_state.get(key) not in rings:
        st.session_state.pop(key, None)
    restore.aloud(key, rings[-1])
    ring = st.select_slider(
        "Good models: loss above the reference's by at most",
        rings,
        format_func=lambda ring: allowed(found, ring - 1),
        key=key,
        persist_state="session",
        help="Sets nested in the one that was asked for. Answered from what is computed: no pass.",
    )
    return int(ring) - 1


def _pair(found: Interactions, pair: int) -> None:
    key = marks.key("pair")
    order = [int(place) for place in order_of(found)]
    st.selectbox(
        "Pair",
        order,
        index=order.index(pair),
        format_func=lambda place: plain(pair_named(found, place)),
        key=key,
        on_change=lambda: marks.look_at(found, int(st.session_state[key])),
    )


def _model(found: Interactions) -> None:
    """Show the number of the model; those that were trained again come after the cloud."""
    key, cloud = marks.key("model"), len(found.steps)
    others = 0 if found.other_loss is None else len(found.other_loss)
    told = marks.kept().model
    number = int(told) if told.isdecimal() else None
    if told.startswith("r"):
        number = cloud + int(told[1:])

    def take() -> None:
        chosen = st.session_state[key]
        text = "" if chosen is None else str(chosen) if chosen < cloud else f"r{chosen - cloud}"
        i, j = (int(feature) for feature in found.pairs[marks.place(found)])
        marks.keep(replace(marks.kept(), pair=(i, j), model=text))

    st.number_input(
        "Model",
        0,
        cloud + others - 1,
        number,
        key=key,
        placeholder="none",
        on_change=take,
        help=f"0 is the reference, 1 to {cloud - 1} are masked models of the pair"
        + (f", from {cloud} on those trained again." if others else "."),
    )
