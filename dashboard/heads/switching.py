"""Heads switched off, and what becomes of the prediction."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from components import prediction_pairs
from components.head_names import named
from components.saying import begun, counted
from components.words import plain
from dashboard.heads import link, marks, selecting
from dashboard.heads.choosing import Side
from dashboard.heads.looking import own_off
from dashboard.heads.marks import Marks
from dashboard.running import heads as running
from engine.head_results import HeadScores

_STEP = 5


def prediction(side: Side, now: Marks) -> None:
    """Show what the model says, with all heads and with some of them off."""
    assert side.model is not None and side.picture is not None
    off = own_off(side, now)
    before, after = running.switched(side.model, side.picture, off)
    change = f"with {counted(len(off), 'head')} off" if off else "with all heads on"
    with st.container(border=True, key=f"card-prediction-{side.name}"):
        st.markdown("**What it says**")
        said = prediction_pairs.sentence(before, after, change) if off else _plainly(side)
        titles = ("all heads on", change) if off else ("all heads on",)
        selecting.chart(
            prediction_pairs.figure(prediction_pairs.rows_of(before, after), titles),
            f"prediction-{side.name}",
            said,
        )
        st.markdown(plain(said))


def _plainly(side: Side) -> str:
    assert side.prediction is not None
    said = side.prediction
    told = prediction_pairs.percent(float(said.probabilities[said.best]))
    return f"It says “{said.classes[said.best]}” ({told}). Switch heads off to see it change."


def controls(side: Side, now: Marks, scores: HeadScores | None) -> None:
    """Show what switches heads off: a list, a share of the least important, all on again."""
    every = [
        marks.as_text((layer, head))
        for layer, count in enumerate(side.heads)
        for head in range(count)
    ]
    with st.container(border=True, key="card-switch"):
        st.markdown("**Switch heads off**")
        _share(now, scores)
        key = link.key("list", "off")
        st.multiselect(
            "Heads that are off",
            every,
            link.first(key, [marks.as_text(head) for head in sorted(now.off)]),
            persist_state="session",
            format_func=_told,
            key=key,
            on_change=_from_list,
            args=(key,),
            placeholder="None: choose, or set clicks to switch off",
        )


def _told(text: str) -> str:
    head = marks.from_text(text)
    return text if head is None else begun(named(*head))


def _share(now: Marks, scores: HeadScores | None) -> None:
    if scores is None:
        return
    title = str(scores.manifest["display"]["title"])
    key = link.key("share", "share")
    st.session_state["h-scores"] = scores
    st.slider(
        f"The least important by “{title}”",
        0,
        100,
        link.first(key, 0),
        step=_STEP,
        persist_state="session",
        format="%d %%",
        key=key,
        on_change=_from_share,
        args=(key,),
        help="So many of all heads are switched off, those that this metric puts last.",
    )


def _from_share(key: str) -> None:
    from engine.heads.switching import least_important

    share = int(st.session_state[key])
    off = frozenset(least_important(st.session_state["h-scores"], share / 100))
    link.keep(replace(link.kept(), off=off), by="share")


def _from_list(key: str) -> None:
    chosen = [marks.from_text(text) for text in st.session_state[key]]
    off = frozenset(head for head in chosen if head is not None)
    link.keep(replace(link.kept(), off=off), by="list")
