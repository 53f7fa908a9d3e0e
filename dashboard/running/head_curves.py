"""How well models do with ever more heads off, as jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.running import explanations, keeping
from engine.execution.cost import Cost
from engine.execution.jobs import Job

if TYPE_CHECKING:
    from engine.execution.passes import Cancel, Progress
    from engine.head_results import PruningCurve
    from engine.heads.curve import CurvePlan


def seconds(plan: CurvePlan) -> float | None:
    """Return how long a curve may take, or None before anything was learned."""
    return explanations.pace().seconds(plan.model.digest, plan.cost)


def submit(plan: CurvePlan) -> Job:
    """Queue a curve, or return the job that already finds or found it."""
    if explanations.is_uploaded(plan.model):
        explanations.own(plan.key)
    return explanations.queue().submit(
        plan.key,
        f"{sum(site.heads for site in plan.found.sites)} heads, ever more of them off",
        lambda progress, cancel: _work(plan, progress, cancel),
    )


def _work(plan: CurvePlan, progress: Progress, cancel: Cancel) -> PruningCurve:
    from engine.head_results import PruningCurve

    kept = keeping.find_any(plan.key)
    if isinstance(kept, PruningCurve):
        return kept
    found = plan.run(progress, cancel)
    outcome = found.manifest["outcome"]
    explanations.pace().learn(plan.model.digest, Cost(**outcome["passes"]), outcome["seconds"])
    if not explanations.is_uploaded(plan.model):
        keeping.keep(found)
    return found
