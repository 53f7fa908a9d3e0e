"""The page "Gallery" from top to bottom: choices → job → figures and thumbnails."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import streamlit as st

from components.words import plain, sentence
from dashboard.running import warmth

if TYPE_CHECKING:
    from engine.evaluation.scoring import ScorePlan
    from engine.execution.jobs import Job
    from engine.inputs.image_sets import ImageSet
    from engine.models.loaded import LoadedModel
    from engine.scores import Scores

# Longer tests say their cost and wait for a click.
_UNASKED_SECONDS = 8.0
_UNASKED_PASSES = 10
_PATIENCE = 0.4
_MOST_CLASSES = 30


def show() -> None:
    """Draw the page."""
    if st.session_state.pop("go-to-explore", False):
        st.switch_page("pages/explore.py")
    warmth.wait()
    from dashboard.gallery import choosing
    from dashboard.own_model import tensors
    from dashboard.state import restore

    with st.sidebar:
        model, images = choosing.choose()
    if model is not None and tensors.are_taken_by(model):
        tensors.show(model)
        return
    with st.sidebar:
        job = None if model is None or images is None else _job(model, images)
    restore.tell_removed("model")
    st.title(_question(model, images), anchor=False)
    if model is None or images is None:
        st.info("Choose a model and pictures at the left.", icon=":material/photo_library:")
        return
    with st.container(key="progress"):
        _tell(job)
    if job is not None and job.state == "done":
        _body(model, images, job.result)


def _question(model: LoadedModel | None, images: ImageSet | None) -> str:
    title = "this model" if model is None else plain(model.card.title)
    labelled = images is None or images.classes
    return f"How often is {title} right?" if labelled else f"What does {title} say of these?"


def _job(model: LoadedModel, images: ImageSet) -> Job | None:
    from dashboard.running import explanations, scoring
    from dashboard.running.watching import watch
    from engine.errors import HaloscopeError
    from engine.execution.pace import seconds_told

    try:
        plan = scoring.plan(model, images)
    except HaloscopeError as error:
        st.error(sentence(str(error)))
        return None
    seconds = _seconds(plan)
    asked = st.button("Test", type="primary", icon=":material/play_arrow:", width="stretch")
    estimate = "" if seconds is None else f"{seconds_told(seconds).capitalize()} on this machine · "
    st.caption(f"{estimate}{plan.cost.describe()}")
    short = seconds is not None and seconds <= _UNASKED_SECONDS
    job = explanations.queue().find(plan.key)
    if asked or (job is None and (short or len(images) <= _UNASKED_PASSES)):
        job = scoring.submit(plan)
        job.wait(_PATIENCE)
    if job is not None and job.active:
        watch().join(job)
    return job


def _seconds(plan: ScorePlan) -> float | None:
    """Estimate a test from two pictures; None if they cannot be read."""
    from dashboard.running import scoring
    from dashboard.running.predictions import prediction
    from engine.errors import HaloscopeError

    if scoring.seconds(plan) is None:
        with suppress(HaloscopeError):
            for index in range(min(2, len(plan.images))):  # the first one warms up
                prediction(plan.model, plan.images[index])
    return scoring.seconds(plan)


def _tell(job: Job | None) -> None:
    from dashboard.running import panel

    if job is None:
        st.info(
            "Press Test at the left to run the model on all of them.", icon=":material/play_arrow:"
        )
    elif job.active:
        panel.show(job)
    elif job.state == "failed":
        st.error(sentence(job.error or ""))
    elif job.state == "cancelled":
        st.info("Cancelled. Press Test to start again.", icon=":material/stop_circle:")


def _body(model: LoadedModel, images: ImageSet, scores: Scores) -> None:
    from dashboard.gallery import figures, grid

    figures.headline(scores, len(images.skipped))
    grid.show(model, images, scores)
    if scores.labelled.any():
        figures.charts(scores, most=_MOST_CLASSES)
