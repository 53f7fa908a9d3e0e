"""A button with its cost, a job, and what to say of it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from components.words import passes_told, sentence
from dashboard.running import explanations
from dashboard.running.watching import watch
from engine.execution.cost import Cost
from engine.execution.jobs import Job
from engine.execution.pace import seconds_told

_PATIENCE = 0.6


def asked(
    title: str,
    key: str,
    seconds: float | None,
    cost: Cost,
    submit: Callable[[], Job],
    *,
    unasked: bool,
    steps: str = "",
) -> Job | None:
    """Show a button in the sidebar with what the work costs; return the job, if there is one.

    Args:
        title: of the button.
        key: of the result.
        seconds: the estimate, if there is one.
        cost: in passes.
        submit: queues the work.
        unasked: begin without a click, unless the same work was cancelled or failed.
        steps: work that is no pass over the model, as it is told ("200 training steps"), or "".
    """
    with st.sidebar:
        clicked = st.button(
            title, type="primary", icon=":material/play_arrow:", width="stretch", key="t-run"
        )
        estimate = "" if seconds is None else f"{seconds_told(seconds).capitalize()} · "
        st.caption(f"{estimate}{passes(cost)}{f', {steps}' if steps else ''}")
    job = explanations.queue().find(key)
    if clicked or (job is None and unasked):
        job = submit()
        job.wait(_PATIENCE)
    if job is not None and job.active:
        watch().join(job)
    return job


def passes(cost: Cost) -> str:
    """Say a cost."""
    if not cost.total:
        return "No pass over the model"
    return f"{passes_told(cost.forward, cost.backward)}, one row each"


def tell(job: Job | None) -> None:
    """Show progress, or how the job ended."""
    from dashboard.running import panel

    with st.container(key="progress"):
        if job is None:
            st.info(
                "Press the button at the left to begin; its cost stands below it.",
                icon=":material/schedule:",
            )
        elif job.active:
            panel.show(job)
        elif job.state == "failed":
            st.error(sentence(job.error or ""))
        elif job.state == "cancelled":
            st.info("Cancelled. Press the button to start again.", icon=":material/stop_circle:")
