"""The interactions that are asked for: what they cost, how the work goes, what failed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from components import saying
from dashboard.heads import asking
from dashboard.interactions import shown
from dashboard.interactions.keys import EPSILON, NUMBER, PREFIX
from dashboard.running import interactions as running
from engine.interaction_results import Interactions

if TYPE_CHECKING:
    from dashboard.interactions.choosing import Asked
    from engine.execution.jobs import Job


def found(asked: Asked) -> Interactions | None:
    """Return what is asked for, computed if it is quick; shows cost, progress and what failed."""
    plan = asked.plan
    if plan is None:
        return None
    result = shown.before(plan.key)
    if result is None:
        job = _job(asked)
        result = job.result if job is not None and isinstance(job.result, Interactions) else None
        if result is None:
            _tell(job, kept=not running.is_private(plan.data))
            return None
    # Two sessions may ask the same of tables with other names; each sees its own.
    return replace(result, manifest={**result.manifest, "source": plan.source()})


def _job(asked: Asked) -> Job | None:
    plan = asked.plan
    assert plan is not None
    seconds, cost = running.seconds(plan), running.usual(plan)
    pairs = "the strongest pairs" if plan.pairs is None else f"{len(plan.pairs)} pairs"
    return asking.asked(
        "interactions",
        plan.key,
        seconds,
        f"{pairs} · about {asking.passes(cost)}, on {samples(asked, plan.data.count)}"
        + (f" · and {plan.retrained} models to train" if plan.retrained else ""),
        lambda: running.submit(plan),
        quick=(asking.is_quick(seconds, cost) and not plan.retrained) or running.is_kept(plan),
    )


def samples(asked: Asked, count: int) -> str:
    """Say what a model is asked about: so many rows, or one picture."""
    return "one picture" if asked.picture is not None else saying.counted(count, "row")


def _tell(job: Job | None, *, kept: bool) -> None:
    """Say why there is no answer yet.

    Args:
        job: the work, if it was begun.
        kept: whether what is done of it is kept.
    """
    if job is not None and job.state == "cancelled":
        again = " Pairs that were done are kept: it goes on from there." if kept else ""
        st.info(f"Cancelled.{again}", icon=":material/stop_circle:")
    if job is not None and job.state == "failed" and "epsilon=" in (job.error or ""):
        st.button(f"Take ε = {EPSILON}", key="i-take-number", on_click=_take_number)
    if job is None and not shown.anything():
        st.caption(
            "Many models are about as good as this one. For each pair of features the page finds "
            "such models, asks how much two features do together that neither does alone, and "
            "shows on what all of them agree. It begins at the press of the button."
        )


def _take_number() -> None:
    st.session_state[f"{PREFIX}allow"] = NUMBER
    st.session_state.setdefault(f"{PREFIX}epsilon", EPSILON)
