"""The page "Explore" from top to bottom: choices → job → what is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from components.words import plain, sentence
from dashboard.explore.shown import Shown, shown_now, state_of
from dashboard.running import warmth
from dashboard.state import restore

if TYPE_CHECKING:
    from dashboard.controls.sidebar import Chosen
    from dashboard.state.selection import Selection
    from engine.execution.jobs import Job

# What opens without being asked for: longer work says its cost and waits for a click. A few
# passes are never too many: on a slow machine, too, the page opens with its map.
_UNASKED_PASSES = 40
_UNASKED_SECONDS = 10.0
# From here on a pass under a fill is told to be longer than a plain one.
_DEAR = 1.25
# Jobs that end this soon are shown at once, without a progress bar that only flickers.
_PATIENCE = 0.4


def show() -> None:
    """Draw the page."""
    restore.begin()
    opening = st.empty()
    if not warmth.is_ready():
        with opening.container():
            _opening()
        warmth.wait()
    from dashboard.controls import sidebar

    with st.sidebar:
        chosen, selection = sidebar.choose()
        job = _run_controls(chosen)
    opening.empty()
    # Messages come and go in places of their own, so that nothing below them is drawn anew.
    with st.container(key="notes"):
        _tell_link_notes()
    _body(chosen, selection, job)


def _opening() -> None:
    st.title("What does the network look at?", anchor=False)
    st.caption("Starting the engine; the first map is on its way …")
    with st.container(
        border=True, height=420, horizontal_alignment="center", vertical_alignment="center"
    ):
        st.caption("Loading PyTorch and the first network")


def _run_controls(chosen: Chosen) -> Job | None:
    """Show the button with its cost, start what was asked for, return the job in question."""
    from dashboard.running import explanations
    from dashboard.running.watching import watch
    from engine.execution.pace import seconds_told
    from engine.models.devices import device_title

    plan = chosen.plan
    asked = st.button(
        "Explain", type="primary", icon=":material/play_arrow:", key="explain", width="stretch",
        disabled=plan is None,
    )  # fmt: skip
    if chosen.model is not None:
        device = device_title(chosen.model.device)
    if plan is None:
        if chosen.problem:
            st.error(sentence(chosen.problem))
        return None
    seconds, cost = explanations.seconds(plan), explanations.cost(plan)
    estimate = "" if seconds is None else f"{seconds_told(seconds).capitalize()} on this machine · "
    st.caption(f"{estimate}{cost.describe()}{_price_told(plan.price)}")
    st.caption(f":material/memory: {device}")
    job = explanations.queue().find(plan.key)
    first = not st.session_state.get("opened")
    st.session_state["opened"] = True
    short = cost.total <= _UNASKED_PASSES or (seconds or 0) <= _UNASKED_SECONDS
    unasked = first and (short or explanations.is_kept(plan))
    if asked or st.session_state.pop("run", False) or unasked:
        job = explanations.submit(plan)
        job.wait(_PATIENCE)
    if job is not None and job.active:
        watch().join(job)
    return job


def _price_told(price: float) -> str:
    """Say what a fill that works inside the network costs."""
    return "" if price < _DEAR else f", each as long as {price:.1f} plain ones"


def _tell_link_notes() -> None:
    from components.views import KINDS
    from dashboard.own_model import links

    restore.tell_removed("model")
    links.offer()
    restore.valid("view", list(KINDS), first=False)
    restore.tell_notes()


def _body(chosen: Chosen, selection: Selection, job: Job | None) -> None:
    from dashboard.own_model import tensors

    if chosen.model is not None and tensors.are_taken_by(chosen.model):
        tensors.show(chosen.model)
        _write_link(selection)
        return
    shown = shown_now(chosen, job)
    if shown is None:
        _nothing_yet(chosen, job)
        _write_link(selection)
        return
    current = chosen.plan is not None and shown.plan.key == chosen.plan.key
    state = state_of(shown, job, current)
    with st.container(key="progress"):
        _tell_job(job, current)
    st.fragment(_result)(shown, selection, state)
    _below(shown, chosen)


def _tell_job(job: Job | None, current: bool) -> None:
    from dashboard.running import panel

    if job is None:
        return
    if job.active:
        panel.show(job)
    elif job.state == "failed":
        st.error(sentence(job.error or ""))
    elif job.state == "cancelled" and not current:
        st.info("Cancelled. What you see is the map from before.", icon=":material/stop_circle:")


def _nothing_yet(chosen: Chosen, job: Job | None) -> None:
    st.title("What does the network look at?", anchor=False)
    _tell_job(job, current=True)
    if job is not None and job.state == "cancelled":
        st.info("Cancelled. Press Explain to start again.", icon=":material/stop_circle:")
    elif chosen.problem:
        st.info("See the message at the left.", icon=":material/west:")
    elif chosen.picture is None:
        st.info("Choose a picture at the left, and the map appears here.", icon=":material/image:")
    elif job is None:
        st.info(
            "This method takes a while: its cost stands under the button Explain at the left.",
            icon=":material/schedule:",
        )
    _meanwhile(chosen)


def _meanwhile(chosen: Chosen) -> None:
    """Show what is known without a map: the picture, and what the model says of it."""
    from dashboard.explore import maps, predictions

    if chosen.model is None or chosen.picture is None or chosen.prediction is None:
        return
    left, right = st.columns([1, 2])
    with left:
        _, said, _ = chosen.prediction.top(1)[0]
        maps.input_card(chosen.model, chosen.picture, said)
    with right:
        predictions.card(
            chosen.prediction, None if chosen.plan is None else chosen.plan.readout.target
        )


def _result(shown: Shown, selection: Selection, state: str) -> None:
    from components import views
    from dashboard.explore import drawing, maps

    attribution = shown.explained.attribution
    with st.container(key="head"):
        left, right = st.columns([5, 8], vertical_alignment="center")
    with left:
        maps.header(attribution, state)
    with (
        right,
        st.container(
            horizontal=True,
            horizontal_alignment="right",
            vertical_alignment="center",
            key="tools",
        ),
    ):
        kind, clip = maps.view_controls(attribution.manifest["display"]["view"])
        view = views.look_at(attribution, kind, clip)
        model, picture = shown.plan.model, shown.picture
        photo = drawing.photo(drawing.photo_key(model, picture), model, picture)
        maps.tools(attribution, view, photo)
    maps.squares(shown.explained, view, model, picture, photo)
    _write_link(selection)


def _write_link(selection: Selection) -> None:
    """Bring the address bar up to date, with how the map is looked at."""
    state = st.session_state
    looks = {name: str(state[name]) for name in ("view", "clip", "opacity") if name in state}
    restore.write(replace(selection, **looks))  # type: ignore[arg-type]


def _below(shown: Shown, chosen: Chosen) -> None:
    from components import words
    from dashboard.explore import predictions, trust
    from dashboard.running.predictions import prediction
    from engine.models.seen_masks import seen_mask

    left, right = st.columns([4, 3])
    with left:
        if chosen.prediction is None or _same_input(shown, chosen):
            said, explained = prediction(shown.plan.model, shown.picture), shown.plan.readout.target
        else:
            said, explained = chosen.prediction, None
        predictions.card(said, explained)
    with right:
        trust.card(shown.explained, seen_mask(shown.plan.model, shown.picture))
    st.caption(plain(words.caption(shown.explained.attribution)))


def _same_input(shown: Shown, chosen: Chosen) -> bool:
    return (
        chosen.picture is not None
        and chosen.picture.digest == shown.picture.digest
        and chosen.model is shown.plan.model
    )
