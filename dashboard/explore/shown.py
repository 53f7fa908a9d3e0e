"""What the page shows at present, kept over reruns and changes of page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import streamlit as st

if TYPE_CHECKING:
    from dashboard.controls.sidebar import Chosen
    from dashboard.running.explanations import Explained
    from engine.attribution.explain import Plan
    from engine.execution.jobs import Job
    from engine.inputs.images import ImageInput


def state_of(shown: Shown, job: Job | None, current: bool) -> str:
    """Say how what is shown stands to what is asked: a key of ``maps.STATES``."""
    if job is not None and job.active:
        return "working"
    if not current:
        return "stale"
    return "partial" if shown.partial else "current"


@dataclass(frozen=True, eq=False)
class Shown:
    """What the page shows at present, kept over reruns and changes of page."""

    plan: Plan
    explained: Explained

    @property
    def picture(self) -> ImageInput:
        """What was explained."""
        return cast("ImageInput", self.plan.given)

    @property
    def partial(self) -> bool:
        """Whether only some of the samples were drawn."""
        return bool(self.explained.attribution.manifest["outcome"].get("partial"))


def shown_now(chosen: Chosen, job: Job | None) -> Shown | None:
    """Take over what a job found, at its end or on its way, as what is shown."""
    from dashboard.running.explanations import Explained, so_far
    from engine.results import Attribution

    plan = chosen.plan
    if job is not None and plan is not None:
        found = so_far(plan.key) if job.active else None
        if job.state == "done":
            st.session_state["shown"] = Shown(plan, job.result.named_as(plan))
        elif isinstance(found, Attribution):
            st.session_state["shown"] = Shown(plan, Explained(found, None).named_as(plan))
    return st.session_state.get("shown")
