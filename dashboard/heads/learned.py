"""What heads have learned: how far they look, layer by layer, and which patterns there are."""

from __future__ import annotations

import streamlit as st

from components import head_strength, head_trend, head_words
from components.head_names import TITLES
from components.words import plain
from dashboard.heads import selecting
from dashboard.heads.choosing import Side
from dashboard.heads.link import PREFIX
from dashboard.heads.looking import own_off
from dashboard.heads.marks import Marks
from dashboard.running import heads as running
from engine.head_results import HeadStrength

_FIRST = "distance"


def reach(side: Side, now: Marks) -> None:
    """Show how strongly heads attend to near and far, and how that goes over the layers."""
    assert side.model is not None and side.picture is not None
    found = running.strength(side.model, side.picture, own_off(side, now))
    left, right = st.columns([3, 2])
    with left, st.container(border=True, height="stretch", key="card-strength"):
        _strength(found, now)
    with right, st.container(border=True, height="stretch", key="card-trend"):
        _trend(found, now)


def _strength(found: HeadStrength, now: Marks) -> None:
    st.markdown("**How strongly near and far** :gray[:small[a line is a head]]")
    hops = found.profile.shape[2] - 1
    key = f"{PREFIX}hop"
    st.session_state[key] = min(int(st.session_state.get(key, 1)), hops)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    hop = left.slider(
        "Patches away (k)", 0, hops, key=key, persist_state="session",
        help="The distance on the grid of patches, a step to any side or corner being 1.",
    )  # fmt: skip
    single = right.toggle("Per patch", key=f"{PREFIX}per-cell", persist_state="session")
    said = head_words.strength_sentence(found, *now.head, hop)
    drawn = head_strength.figure(found, hop, now.head, per_cell=single)
    selecting.chart(drawn, "strength", said, selecting.pick_head)
    st.markdown(plain(said))


def _trend(found: HeadStrength, now: Marks) -> None:
    st.markdown("**Over the layers** :gray[:small[a dot is a head]]")
    measure = st.selectbox(
        "Measure",
        list(TITLES),
        index=None if f"{PREFIX}measure" in st.session_state else list(TITLES).index(_FIRST),
        format_func=TITLES.__getitem__,
        key=f"{PREFIX}measure",
        label_visibility="collapsed",
        persist_state="session",
    )
    measure = measure or _FIRST
    said = head_words.trend_sentence(found, measure)
    drawn = head_trend.figure(found, measure, now.head)
    selecting.chart(drawn, "trend", said, selecting.pick_head)
    st.markdown(plain(said))


def patterns(side: Side, now: Marks) -> None:
    """Show what heads look at in many pictures, in clusters."""
