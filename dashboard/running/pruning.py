"""Pruning as jobs: the ratio that is looked at first, then the others; what was asked is kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dashboard.running import explanations, keeping
from engine.execution.cost import Cost
from engine.execution.jobs import Job
from engine.manifest import digest_of

if TYPE_CHECKING:
    from engine.execution.passes import Cancel, Progress
    from engine.models.loaded import LoadedModel
    from engine.prune_results import PruneSweep
    from engine.pruning.geometry.study import GeometryPlan
    from engine.pruning.sweeping.planning import PrunePlan
    from engine.results import Result

# Before a model's pace is known: so many multiply–accumulates go through in a second.
_PER_SECOND = 1e10
# What a pass costs beside them, in seconds.
_EACH = 1e-3
_CELLS = 2000  # kept in memory, some kB each

_lock = threading.Lock()
_cells: OrderedDict[str, Result] = OrderedDict()


class _Cells:
    """What networks said: in memory, and on disk where nothing was uploaded."""

    def __init__(self, private: bool) -> None:
        self._own: dict[str, Result] = {}
        self._disk = None if private else keeping.Keeping()

    def find(self, key: str) -> Result | None:
        """Return the result of a key, if it is kept."""
        if self._disk is None:
            return self._own.get(key)
        with _lock:
            if key in _cells:
                _cells.move_to_end(key)
                return _cells[key]
        return self._disk.find(key)

    def keep(self, result: Result) -> None:
        """Keep a result."""
        if self._disk is None:
            self._own[result.key] = result
            return
        with _lock:
            _cells[result.key] = result
            while len(_cells) > _CELLS:
                _cells.popitem(last=False)
        self._disk.keep(result)


def pace_key(model: LoadedModel) -> str:
    """Return what the pace is known by: pictures go through in chunks, and repairs cost as well."""
    return f"{model.digest} prune"


def seconds(model: LoadedModel, cost: Cost) -> float:
    """Return how long passes may take; of a model that is new here, by its arithmetic."""
    from engine.pruning.measuring.costs import costs_of

    known = explanations.pace().seconds(pace_key(model), cost)
    if known is not None:
        return known
    each = _EACH + costs_of(model).macs / _PER_SECOND
    return each * (cost.forward + 2 * cost.backward)


def learn(model: LoadedModel, used: Cost, spent: float) -> None:
    """Take finished work into account."""
    for _ in range(2):  # the first is left out, as that which pays for what is cold
        explanations.pace().learn(pace_key(model), used, spent)


def at_ratio(plan: PrunePlan, ratio: float) -> PrunePlan:
    """Return what asks for one ratio alone; its networks are among those of the whole plan."""
    own = replace(plan.asked, ratios=tuple(sorted({0.0, ratio})))
    networks = 1 + len(own.choices)
    each = plan.cost.forward // (1 + (len(plan.asked.ratios) - 1) * len(plan.asked.choices))
    share = Cost(min(plan.cost.forward, each * networks), plan.cost.backward)
    key = digest_of(plan.key.encode(), f"at {ratio:.3f}".encode())
    return replace(plan, asked=own, key=key, cost=share)


def is_kept(plan: PrunePlan | GeometryPlan) -> bool:
    """Whether what a plan would find lies on disk already."""
    return not explanations.is_uploaded(plan.model) and keeping.find_any(plan.key) is not None


def submit(plan: PrunePlan, first: float | None = None) -> Job:
    """Queue a sweep, or return the job that already makes or made it.

    Args:
        plan: what is asked.
        first: the ratio that is told before all others; None where the plan has one alone.
    """
    private = explanations.is_uploaded(plan.model)
    if private:
        explanations.own(plan.key)

    def work(progress: Progress, cancel: Cancel) -> Result:
        return _work(plan, first, private, progress, cancel)

    title = f"{plan.model.card.title}, pruned"
    return explanations.queue().submit(plan.key, title, work)


def _work(
    plan: PrunePlan, first: float | None, private: bool, progress: Progress, cancel: Cancel
) -> Result:
    kept = None if private else keeping.find_any(plan.key)
    if kept is not None:
        return kept
    cells, before = _Cells(private), 0
    if first is not None:
        with explanations.telling(plan.key) as partial:
            begun = _run(at_ratio(plan, first), _of(plan, progress, 0), cancel, cells)
            before = begun.manifest["outcome"]["passes"]["forward"]
            partial(begun)
            found = _run(plan, _of(plan, progress, before), cancel, cells)
    else:
        found = _run(plan, progress, cancel, cells)
    if not private and first is not None:
        keeping.keep(found)
    return found


def _of(plan: PrunePlan, progress: Progress, before: int) -> Progress:
    """Return what tells progress as part of the whole plan."""
    total = plan.cost.total
    return lambda done, _total: progress(min(total, before + done), total)


def _run(plan: PrunePlan, progress: Progress, cancel: Cancel, cells: _Cells) -> PruneSweep:
    found = plan.run(progress, cancel, cells)
    outcome = found.manifest["outcome"]
    if not outcome["resumed"]:
        learn(plan.model, Cost(**outcome["passes"]), outcome["seconds"])
    return found


def submit_geometry(plan: GeometryPlan) -> Job:
    """Queue a study of the geometry at the classifier, or return the job that makes or made it."""
    private = explanations.is_uploaded(plan.model)
    if private:
        explanations.own(plan.key)

    def run(progress: Progress, cancel: Cancel) -> Result:
        kept = None if private else keeping.find_any(plan.key)
        if kept is not None:
            return kept
        found = plan.run(progress, cancel)
        if not private:
            keeping.keep(found)
        return found

    title = f"Geometry of {plan.model.card.title}"
    return explanations.queue().submit(plan.key, title, run)


def work(key: str, title: str, plan: PrunePlan, do: Callable[[Progress, Cancel], Any]) -> Job:
    """Queue other work on networks of a plan, or return the job that already does or did it."""
    if explanations.is_uploaded(plan.model):
        explanations.own(key)
    return explanations.queue().submit(key, title, do)
