"""The page "Heads" from top to bottom: choices → the selected head → what is shown of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from components.predictions import percent
from components.words import plain, sentence
from dashboard.heads import link
from dashboard.heads.link import PREFIX
from dashboard.running import warmth

if TYPE_CHECKING:
    from dashboard.heads.choosing import Side
    from dashboard.heads.marks import Marks
    from engine.head_results import HeadScores

_TITLE = "Which heads matter, and where do they look?"
_VIEWS = {
    "maps": "All heads",
    "importance": "Importance",
    "reach": "Near and far",
    "patterns": "Patterns",
}


def show() -> None:
    """Draw the page."""
    link.begin()
    opening = st.empty()
    if not warmth.is_ready():
        opening.title(_TITLE, anchor=False)
        warmth.wait()
    opening.empty()
    from dashboard.heads import choosing
    from dashboard.own_model import links
    from dashboard.state import restore

    with st.sidebar:
        sides = choosing.choose()
    st.title(_TITLE, anchor=False)
    restore.tell_removed(f"{PREFIX}model")
    links.offer()
    above = st.container()  # what a link cannot have is found out further down
    if sides[0].usable:
        _body(sides)
    else:
        _nothing(sides[0])
    restore.tell_notes(above)
    restore.mark_read()


def _nothing(side: Side) -> None:
    """Say why there is nothing to see, and offer models that have heads."""
    from dashboard.heads import choosing
    from dashboard.running import models

    if not side.problem:
        st.info("Choose a picture at the left.", icon=":material/image:")
        link.write(None, None)
        return
    st.warning(sentence(side.problem), icon=":material/visibility_off:")
    if side.model is None:
        refs = [ref for ref in models.references("pictures") if ref != side.ref]
        found = {ref: choosing.attends(ref) for ref in refs}
        _offer("These models have attention heads:", [ref for ref in refs if found[ref]])
        _offer("Not loaded yet; they may have some:", [r for r in refs if found[r] is None])
    link.write(None, None)


def _offer(told: str, refs: list[str]) -> None:
    """Show buttons that take models."""
    from dashboard.running import models

    if not refs:
        return
    st.markdown(told)
    with st.container(horizontal=True):
        for ref in refs:
            st.button(plain(models.title(ref)), key=f"take-{ref}", on_click=_take, args=(ref,))


def _take(ref: str) -> None:
    st.session_state[f"{PREFIX}model"] = ref


def _body(sides: list[Side]) -> None:
    from dashboard.heads import judging, selecting

    first = sides[0]
    now = selecting.settle(first)
    st.caption(_told(first))
    selecting.bar(first, now)
    scores = _pair(sides, now) if len(sides) > 1 else _alone(first, now)
    _view(sides, now, scores)
    link.write(first.picture, selecting.asking(first, now), judging.in_link())


def _told(side: Side) -> str:
    assert side.model is not None and side.picture is not None and side.prediction is not None
    said = side.prediction
    name = said.classes[said.best]
    share = percent(float(said.probabilities[said.best]))
    return plain(f"{side.model.card.title} · {side.picture.name} · says “{name}” ({share})")


def _alone(side: Side, now: Marks) -> HeadScores | None:
    """Show one side: scores, the head over the picture, the prediction."""
    from dashboard.heads import importance, looking, switching

    assert side.found is not None
    left, middle, right = st.columns([10, 9, 9])
    with right:  # first what a click on a head changes, then what takes longer to draw
        switching.prediction(side, now)
        controls = st.container()
    with middle:
        if side.found.unplaced:
            st.info(plain(side.found.unplaced), icon=":material/grid_off:")
        else:
            looking.on_picture(side, now)
    with left:
        scores = importance.heatmap(side, now)
    with controls:
        switching.controls(side, now, scores)
    return scores


def _pair(sides: list[Side], now: Marks) -> HeadScores | None:
    """Show two sides beside each other, row by row."""
    from dashboard.heads import importance, looking, switching

    for column, side in zip(st.columns(2), sides, strict=True):
        with column:
            if side.usable:
                st.markdown(f"**{_told(side)}**")
            else:
                st.info(plain(side.problem) or "Choose the other picture at the left.")
    _row(sides, lambda side: switching.prediction(side, now))
    controls, scored = st.container(), st.container()
    placed = [side for side in sides if side.found is not None and not side.found.unplaced]
    _row(sides, lambda side: looking.on_picture(side, now) if side in placed else None)
    with scored:
        found = _row(sides, lambda side: importance.heatmap(side, now))
    with controls:
        switching.controls(sides[0], now, found)
    return found


def _row(sides: list[Side], draw: Callable[[Side], HeadScores | None]) -> HeadScores | None:
    """Draw a part of each side that there is; return what the first one found."""
    found: list[HeadScores | None] = []
    for column, side in zip(st.columns(2), sides, strict=True):
        with column:
            found.append(draw(side) if side.usable else None)
    return found[0]


def _view(sides: list[Side], now: Marks, scores: HeadScores | None) -> None:
    """Show one of the views of the first side, of both where it is a picture of all heads."""
    from dashboard.heads import learned, looking
    from dashboard.state import restore

    side = sides[0]
    assert side.found is not None
    views = _VIEWS if not side.found.unplaced else {"importance": _VIEWS["importance"]}
    restore.valid(f"{PREFIX}view", list(views))
    restore.aloud(f"{PREFIX}view", next(iter(views)))
    view = st.segmented_control(
        "View",
        list(views),
        format_func=views.__getitem__,
        key=f"{PREFIX}view",
        label_visibility="collapsed",
        persist_state="session",
        required=True,
    )
    if len(sides) > 1 and view != "maps":
        st.caption(f"Of {_told(side)}")
    if view == "maps" and len(sides) > 1:
        looking.mosaics_beside(sides, now)
    elif view == "maps":
        looking.mosaics(side, now)
    elif view == "importance":
        _importance(side, now, scores)
    elif view == "reach":
        learned.reach(side, now)
    else:
        learned.patterns(side, now)


def _importance(side: Side, now: Marks, scores: HeadScores | None) -> None:
    from dashboard.heads import importance, pruning

    assert side.found is not None
    left, right = st.columns(2)
    with left:
        importance.scatter(side, now, scores)
    with right:
        if not side.found.unplaced:
            importance.partial(side, now)
    pruning.show(side, scores)
