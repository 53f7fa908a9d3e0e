"""Progress of a job: a bar, the time left, and a button that stops it."""

from __future__ import annotations

import streamlit as st

from components.saying import exact
from dashboard.running import explanations
from engine.execution.jobs import Job
from engine.execution.pace import seconds_told
from engine.results import Result


def show(job: Job, name: str = "") -> None:
    """Show a job until it ends; then, and when it has found more, the page runs again.

    Args:
        job: what goes on.
        name: tells several on one page apart.
    """
    every = 0.5 if job.active else None
    st.fragment(_panel, run_every=every)(job, explanations.so_far(job.key), name)


def _panel(job: Job, shown: Result | None, name: str) -> None:
    found = explanations.so_far(job.key)
    if not job.active or (found is not None and found is not shown):
        st.rerun()
    with st.container(border=True, key=f"{name}job"):
        st.progress(min(1.0, job.fraction), text=_told(job))
        st.button(
            "Stopping …" if job.cancelling else "Cancel",
            key=f"{name}cancel",
            icon=":material/stop_circle:",
            on_click=job.cancel,
            disabled=job.cancelling,
        )


def _told(job: Job) -> str:
    if job.cancelling:
        return f"{job.title} · stopping after this chunk"
    if job.state == "waiting":
        ahead = explanations.queue().ahead_of(job)
        return f"{job.title} · waiting for {ahead} other job{'s' if ahead != 1 else ''}"
    left = job.seconds_left
    time_left = "" if left is None else f" · {seconds_told(left)} left"
    done = f"{exact(job.passes_done)} of {exact(job.passes_total)} passes"
    return f"{job.title} · {done}{time_left}"
