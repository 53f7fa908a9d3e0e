"""Slow findings: begun at once where they are quick, else at the press of a button."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

import streamlit as st

from components.words import passes_told, plain
from dashboard.running import explanations, panel
from dashboard.running.watching import watch
from engine.execution.cost import Cost
from engine.execution.jobs import Job
from engine.execution.pace import seconds_told

# What begins without a click: by the estimate, or, before there is one, by the passes.
_UNASKED_SECONDS = 4.0
_UNASKED_PASSES = 400
# Jobs that end this soon are shown at once, without a progress bar that only flickers.
_PATIENCE = 0.6
_PLANS = 16  # kept: a plan over a set reads all of its files

P = TypeVar("P")


def planned(key: Hashable, make: Callable[[], P]) -> P:
    """Return a plan over a set, made once in a session: it holds the user's own model."""
    known: dict[Hashable, P] = st.session_state.setdefault("h-plans", {})
    if key not in known:
        known[key] = make()
        for old in list(known)[:-_PLANS]:
            del known[old]
    return known[key]


def is_quick(seconds: float | None, cost: Cost) -> bool:
    """Whether work may begin without being asked for."""
    return cost.total <= _UNASKED_PASSES if seconds is None else seconds <= _UNASKED_SECONDS


def asked(
    name: str, key: str, seconds: float | None, told: str, submit: Callable[[], Job], *, quick: bool
) -> Job | None:
    """Return the job of some work; begin it, or show a button with what it costs.

    Args:
        name: of the place on the page; tells widgets apart.
        key: of the result.
        seconds: the estimate, if there is one.
        told: the cost in passes, for people.
        submit: queues the work.
        quick: begin without a click, unless the same work was cancelled or failed.
    """
    job = explanations.queue().find(key)
    if job is None and quick:
        job = submit()
        job.wait(_PATIENCE)
    elif job is not None and st.session_state.pop(_begun(name), False):
        job.wait(_PATIENCE)
    with st.container(key=f"progress-{name}"):
        if job is None or job.state in ("cancelled", "failed"):
            if job is not None and job.state == "failed":
                st.error(plain(job.error or ""))
            _button(name, seconds, told, submit, again=job is not None)
        if job is not None and job.active:
            watch().join(job)
            panel.show(job, f"{name}-")
    return job


def _button(
    name: str, seconds: float | None, told: str, submit: Callable[[], Job], *, again: bool
) -> None:
    """Show a button that begins work before the page runs again, so that it is gone by then."""

    def begin() -> None:
        submit()
        st.session_state[_begun(name)] = True

    estimate = "" if seconds is None else f"{seconds_told(seconds).capitalize()} · "
    title = "Start again" if again else "Measure"
    with st.container(horizontal=True, vertical_alignment="center", key=f"ask-{name}"):
        st.button(
            title, type="primary", icon=":material/play_arrow:", key=f"run-{name}", on_click=begin
        )
        st.caption(f"{estimate}{told}", width="content")


def _begun(name: str) -> str:
    return f"h-begun-{name}"


def passes(cost: Cost) -> str:
    """Say a cost."""
    return passes_told(cost.forward, cost.backward)
