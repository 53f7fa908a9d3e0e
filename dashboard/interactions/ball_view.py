"""Three features, or four, that share what the loss may rise by: a ball that turns."""

from __future__ import annotations

from itertools import chain

import streamlit as st

from components import halo_ball, interaction_words
from components.interaction_names import order_of
from components.words import plain
from dashboard.heads import asking
from dashboard.interactions.keys import PREFIX
from dashboard.interactions.looked import Drawn, Looked, chart
from dashboard.running import interactions as running
from dashboard.state import restore
from engine.interaction_results import Ball
from engine.interactions.balls import BallPlan, plan_ball

_LEAST, _MOST = 3, 4


def show(looked: Looked) -> Drawn | None:
    """Draw the view; return the ball, once it is there."""
    found = looked.found
    if len(found.columns) < _LEAST:
        st.info(
            f"A ball needs three features; {plain(found.manifest['source']['model_title'])} looks "
            f"at {len(found.columns)}.",
            icon=":material/info:",
        )
        return None
    features = _features(looked)
    if len(features) < _LEAST:
        st.caption("Choose three features, or four: the fourth becomes the colour.")
        return None
    assert looked.asked.plan is not None
    plan = plan_ball(looked.asked.plan, features)
    ball = _computed(plan)
    if ball is None:
        return None
    with st.container(border=True, key="card-ball"):
        drawn = halo_ball.figure(ball)
        chart(drawn, "ball", halo_ball.alt(ball))
        words = interaction_words.ball_sentence(ball)
        st.markdown(plain(words))
        st.caption("Of the largest set that was asked for. Drag to turn it.")
    return Drawn(drawn, "What features share", words)


def _features(looked: Looked) -> list[int]:
    found = looked.found
    key, last = f"{PREFIX}features", len(found.columns)
    usual = list(dict.fromkeys(chain(*(found.pairs[p].tolist() for p in order_of(found)))))
    asked = [int(place) for place in st.session_state.get(key, [])]
    known = [place for place in asked if place < last]
    if len(known) < len(asked):
        restore.missed(f"there are features 0 to {last - 1} alone")
    if not known and key not in st.session_state:
        known = usual[:_LEAST]
    st.session_state[key] = list(dict.fromkeys(known))[:_MOST]
    chosen = st.multiselect(
        "Features",
        list(range(last)),
        format_func=lambda place: plain(found.titles[place]),
        key=key,
        persist_state="session",
        max_selections=_MOST,
        help="Three, or four: the fourth becomes the colour.",
    )
    return [int(place) for place in chosen]


def _computed(plan: BallPlan) -> Ball | None:
    seconds, cost = running.seconds(plan), running.usual(plan)
    job = asking.asked(
        "ball",
        plan.key,
        seconds,
        f"about {asking.passes(cost)}",
        lambda: running.submit_ball(plan),
        quick=asking.is_quick(seconds, cost) or running.is_kept(plan),
    )
    found = None if job is None else job.result
    return found if isinstance(found, Ball) else None
