"""Findings about the columns of tables, as jobs: computed once, found again by their key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard.running import explanations, keeping
from engine.execution.cost import Cost
from engine.execution.jobs import Job

if TYPE_CHECKING:
    from engine.execution.passes import Cancel, Progress
    from engine.table_results import Measured
    from engine.tables.measuring import MeasurePlan

# Of fewer passes most of the time goes elsewhere: they say nothing of the model's speed.
_TELLING = 10_000
_QUICK_STEPS = ("columns", "pairs of columns")


def seconds(plan: MeasurePlan) -> float | None:
    """Return how long the passes may take, or None before anything was learned."""
    if plan.model is None or trains(plan):
        return None
    return explanations.pace().seconds(plan.model.digest, plan.cost)


def trains(plan: MeasurePlan) -> bool:
    """Whether a network of its own is trained, which takes longer than the passes tell."""
    steps = plan.measure.steps(plan.rows, plan.parameters)
    return bool(steps) and plan.measure.steps_told not in _QUICK_STEPS


def submit(plan: MeasurePlan) -> Job:
    """Queue a plan, or return the job that already does or did it."""
    title = f"{plan.measure.title} of {plan.table.name if plan.table.origin else 'your table'}"
    if _is_private(plan):
        explanations.own(plan.key)
    return explanations.queue().submit(
        plan.key, title, lambda progress, cancel: _work(plan, progress, cancel)
    )


def _is_private(plan: MeasurePlan) -> bool:
    """Whether a finding rests on an upload, which stays in its session."""
    uploaded = plan.model is not None and explanations.is_uploaded(plan.model)
    return uploaded or not plan.table.origin


def _work(plan: MeasurePlan, progress: Progress, cancel: Cancel) -> Measured:
    kept = keeping.find_measured(plan)
    if kept is not None:
        return kept
    found = plan.run(progress, cancel)
    outcome = found.manifest["outcome"]
    if plan.model is not None and plan.cost.total >= _TELLING:
        explanations.pace().learn(plan.model.digest, Cost(**outcome["passes"]), outcome["seconds"])
    if not _is_private(plan):
        keeping.keep(found)
    return found
