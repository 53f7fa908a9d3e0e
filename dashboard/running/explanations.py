"""Explanations as jobs: computed once, found again by their content key.

Found among the jobs of this server, then among the results on disk. A result on disk comes
without its check, which is cheap and made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from dashboard.running import keeping
from engine.execution.cost import Cost
from engine.execution.jobs import Job, JobQueue
from engine.execution.pace import Pace

if TYPE_CHECKING:
    from engine.attribution.explain import Plan
    from engine.evaluation.hiding import Hiding
    from engine.execution.passes import Cancel, Progress
    from engine.models.loaded import LoadedModel
    from engine.results import Attribution, Result


@dataclass(frozen=True, eq=False)
class Explained:
    """A finished explanation with the check that belongs to it."""

    attribution: Attribution
    hiding: Hiding | None

    def named_as(self, plan: Plan) -> Explained:
        """Return the same with the names that a plan gives to model and input.

        Two sessions may ask the same under other names; each sees its own.
        """
        manifest = {**self.attribution.manifest, "source": plan.source()}
        return replace(self, attribution=replace(self.attribution, manifest=manifest))


# Rows of a table go through together: of fewer passes most of the time goes elsewhere.
_TELLING_ROWS = 5000


@cache
def queue() -> JobQueue:
    """Return the queue of this server: one job at a time."""
    return JobQueue()


@cache
def pace() -> Pace:
    """Return what this server has learned about the speed of its models."""
    return Pace()


def cost(plan: Plan) -> Cost:
    """Return what a plan costs together with its check."""
    from engine.evaluation.hiding import hiding_cost

    return plan.cost + (hiding_cost() if _has_picture(plan) else Cost())


def seconds(plan: Plan) -> float | None:
    """Return how long a plan may take, or None before anything was learned."""
    found = pace().seconds(plan.model.digest, cost(plan))
    return None if found is None else found * plan.price


_so_far: dict[str, Result] = {}


def so_far(key: str) -> Result | None:
    """Return what a running job has found so far, if its method can tell."""
    return _so_far.get(key)


@contextmanager
def telling(key: str) -> Iterator[Callable[[Result], None]]:
    """Give what a job calls with what it has found so far; forgotten at its end."""
    try:
        yield lambda found: _so_far.update({key: found})
    finally:
        _so_far.pop(key, None)


def is_kept(plan: Plan) -> bool:
    """Whether a plan's map lies on disk already."""
    return keeping.find(plan) is not None


def submit(plan: Plan) -> Job:
    """Queue a plan, or return the job that already does or did it."""
    title = f"{plan.method.title} for {plan.model.classes[plan.readout.target]}"
    if _is_private(plan):
        own(plan.key)
    return queue().submit(plan.key, title, lambda progress, cancel: _work(plan, progress, cancel))


def own(key: str) -> None:
    """Note that a result rests on an upload, where there is a session to note it for.

    When that session ends, the result is forgotten with it.
    """
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    from dashboard.running.watching import watch

    if get_script_run_ctx(suppress_warning=True) is not None:
        watch().own(key)


def is_uploaded(model: LoadedModel) -> bool:
    """Whether a model's weights were uploaded: what comes of them stays in the session."""
    return model.ref.startswith("upload:")


def _is_private(plan: Plan) -> bool:
    return is_uploaded(plan.model) or not plan.source()["input_origin"]


def _work(plan: Plan, progress: Progress, cancel: Cancel) -> Explained:
    total = cost(plan).total

    def explaining(done: int, _total: int) -> None:
        progress(done, total)

    def checking(done: int, _total: int) -> None:
        progress(plan.cost.total + done, total)

    attribution = keeping.find(plan) or _compute(plan, explaining, cancel)
    if not _has_picture(plan):
        return Explained(attribution, None)
    from engine.evaluation.hiding import hide_top

    hiding = hide_top(plan.model, plan.given, attribution, progress=checking, cancel=cancel)
    return Explained(attribution, hiding)


def _compute(plan: Plan, progress: Progress, cancel: Cancel) -> Attribution:
    with telling(plan.key) as partial:
        attribution = plan.run(progress, cancel, partial=partial)
    outcome = attribution.manifest["outcome"]
    used = Cost(**outcome["passes"])
    if used.total >= (_TELLING_ROWS if len(plan.model.spec.shape) == 1 else 1):
        pace().learn(plan.model.digest, used, outcome["seconds"] / plan.price)
    if not _is_private(plan):
        keeping.keep(attribution)
    return attribution


def _has_picture(plan: Plan) -> bool:
    return len(plan.model.spec.shape) == 3
