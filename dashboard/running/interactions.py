"""Interactions of features as jobs: pairs that are done are kept, so that stopped work goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dashboard.running import explanations, keeping
from engine.execution.cost import Cost
from engine.execution.jobs import Job

if TYPE_CHECKING:
    from engine.execution.passes import Cancel, Progress
    from engine.interactions.balls import BallPlan
    from engine.interactions.comparing import ComparisonPlan
    from engine.interactions.data import Data
    from engine.interactions.planning import InteractionPlan
    from engine.results import Result

# A model of which nothing is known is timed on ever more models and permutations, for so long.
_PROBE_SECONDS = 0.05
_PROBES = ((1, 1), (1, 8), (4, 30), (16, 60))
_TRIALS = 2  # of each; the faster counts, for the first is cold and others may be at work


def usual(plan: InteractionPlan | BallPlan) -> Cost:
    """Return how many passes a plan takes as a rule; its own cost is a bound."""
    return Cost(plan.usual)


def seconds(plan: InteractionPlan | BallPlan | ComparisonPlan) -> float:
    """Return how long a plan's passes may take; a model of which nothing is known is timed.

    0 of a model that fails meanwhile: the work itself will say why.
    """
    from engine.interactions.comparing import ComparisonPlan

    data = data_of(plan)
    cost = plan.cost if isinstance(plan, ComparisonPlan) else usual(plan)
    known = explanations.pace().seconds(_pace_key(data), cost)
    if known is not None:
        return known
    try:
        each = _timed(data)
    except Exception:  # the network is the user's own code
        return 0.0
    for _ in range(2):  # the first is left out, as that which pays for what is cold
        explanations.pace().learn(_pace_key(data), Cost(1), each)
    return each * cost.total


def data_of(plan: InteractionPlan | BallPlan | ComparisonPlan) -> Data:
    """Return what a plan looks at."""
    from engine.interactions.balls import BallPlan

    return plan.plan.data if isinstance(plan, BallPlan) else plan.data


def _pace_key(data: Data) -> str:
    """Return what the pace is known by: permuted rows take a way of their own through a model."""
    return f"{data.model.digest} interactions {data.chunk}"


def _timed(data: Data) -> float:
    """Return the seconds of a pass, many of them together."""
    from engine.interactions.pacing import seconds_each

    if data.regions is not None:
        return seconds_each(data)  # pictures are known by their masks: equal ones are asked once
    each = 0.0
    for models, repeats in _PROBES:
        spent, each = min(_probed(data, models, repeats) for _ in range(_TRIALS))
        if spent >= _PROBE_SECONDS:
            break
    return each


def _probed(data: Data, models: int, repeats: int) -> tuple[float, float]:
    """Return the seconds that some models and permutations take, and those of a pass of them."""
    import numpy as np

    from engine.execution.chunks import Chunks
    from engine.execution.passes import Passes
    from engine.interactions.world import permutations

    passes = Passes(data.quickly(data.model))
    world = data.world(passes, Chunks(data.chunk), permutations(data.count, repeats, 0))
    started = time.perf_counter()
    world.moved(np.ones((models, world.features)), [(0,)], exact=False)
    spent = time.perf_counter() - started
    return spent, spent / max(1, passes.used.forward)


def submit(plan: InteractionPlan) -> Job:
    """Queue interactions, or return the job that already finds or found them."""
    private = is_private(plan.data)
    keeper = None if private else keeping.Keeping()
    title = f"Interactions in {'your own data' if private else plan.source()['table']}"

    def run(progress: Progress, cancel: Cancel) -> Result:
        found = plan.run(progress, cancel, keeper)
        outcome = found.manifest["outcome"]
        if not (outcome["resumed_pairs"] or plan.retrained):  # those would teach a wrong pace
            used = Cost(**outcome["passes"])
            explanations.pace().learn(_pace_key(plan.data), used, outcome["seconds"])
        return found

    return _submit(plan, title, run)


def submit_ball(plan: BallPlan) -> Job:
    """The same for three features, or four."""
    return _submit(plan, f"{len(plan.features)} features together", plan.run)


def submit_comparison(plan: ComparisonPlan) -> Job:
    """The same for what other measures say of the pairs."""
    return _submit(plan, f"H² and SHAP of {len(plan.pairs)} pairs", plan.run)


def is_kept(plan: InteractionPlan | BallPlan | ComparisonPlan) -> bool:
    """Whether what a plan would find lies on disk already."""
    return not is_private(data_of(plan)) and keeping.find_any(plan.key) is not None


def is_private(data: Data) -> bool:
    """Whether findings rest on an upload, which stays in its session."""
    source = data.source()
    origin = source.get("table_origin", source.get("images_origin", ""))
    return explanations.is_uploaded(data.model) or not origin


def _submit(
    plan: InteractionPlan | BallPlan | ComparisonPlan,
    title: str,
    run: Callable[[Progress, Cancel], Any],
) -> Job:
    private = is_private(data_of(plan))

    def work(progress: Progress, cancel: Cancel) -> Result:
        kept = None if private else keeping.find_any(plan.key)
        if kept is not None:
            return kept
        found: Result = run(progress, cancel)
        if not private:
            keeping.keep(found)
        return found

    if private:
        explanations.own(plan.key)
    return explanations.queue().submit(plan.key, title, work)
