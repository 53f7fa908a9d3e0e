"""Halos: all pairs small, one of them enlarged, with its sentence."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from components import halo, halo_grid, interaction_words, saying
from components.interaction_names import pair_named
from components.words import plain
from dashboard.interactions import card, marks
from dashboard.interactions.keys import PREFIX
from dashboard.interactions.looked import Drawn, Looked, beside, chart, take_pair
from dashboard.state import restore

_COLUMNS = 3
_CELL = (170, 205)


def show(looked: Looked) -> Drawn:
    """Draw the view; return the enlarged halo."""
    found, pair, rate = looked.found, looked.pair, looked.rate
    left, right = beside(4, 5)
    with left, st.container(border=True, key="card-halos"):
        st.markdown(
            f"**{saying.counted(len(found.pairs), 'pair')}** "
            ":gray[:small[the strongest first; click one to enlarge it]]"
        )
        chart(
            halo_grid.figure(found, rate, pair, _COLUMNS),
            "halos",
            halo_grid.alt(found, rate),
            lambda data: take_pair(looked, data),
            _grid(len(found.pairs)),
        )
    with right:
        drawn = large(looked)
        card.show(looked, beside=True)
    return drawn


def large(looked: Looked) -> Drawn:
    """Show the halo of the pair with its sentence; return it."""
    found, pair, rate = looked.found, looked.pair, looked.rate
    with st.container(border=True, key="card-halo"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{plain(pair_named(found, pair))}**", width="content")
            restore.aloud(f"{PREFIX}rings", True)
            rings = st.toggle("Smaller sets too", key=f"{PREFIX}rings", persist_state="session")
        drawn = _drawn(looked, rings=rings)
        chart(
            drawn,
            "halo",
            halo.alt(found, pair, rate),
            lambda data: marks.look_at(found, pair, marks.named(found, pair, rate, data[0])),
        )
        words = interaction_words.halo_sentence(found, pair, rate)
        st.markdown(plain(words))
    return Drawn(drawn, f"Halo of {pair_named(found, pair)}", words)


def _drawn(looked: Looked, *, rings: bool) -> go.Figure:
    """Return the halo of the pair with its model ringed, if that lies on this halo."""
    member = looked.member
    there = member is not None and (member.cloud is not None or member.rate == looked.rate)
    chosen = member.chosen if member is not None and there else None
    return halo.figure(looked.found, looked.pair, looked.rate, rings=rings, chosen=chosen)


def _grid(pairs: int) -> tuple[int, int]:
    columns = min(_COLUMNS, pairs)
    return columns * _CELL[0], -(-pairs // columns) * _CELL[1]
