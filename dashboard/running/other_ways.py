"""Ways of pruning that are no criterion: done, and what the network says of the pictures after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dashboard.running import pruned
from engine.execution.cost import Cost

if TYPE_CHECKING:
    from engine.execution.passes import Cancel, Progress
    from engine.models.loaded import LoadedModel
    from engine.prune_results import PruneSweep
    from engine.pruning.methods.catalogue import MethodPlan
    from engine.pruning.methods.outcome import Outcome
    from engine.pruning.sweeping.planning import PrunePlan


@dataclass(frozen=True, eq=False)
class Tried:
    """What a way did.

    Attributes:
        outcome: what it yields.
        right: which of the pictures that count are named right after, bool ``(n,)``.
        before: the same of the untouched network.
        gone: share of units, or of single weights, that went; NaN where it is another one for
            each picture.
        unit: "units" or "weights".
    """

    outcome: Outcome
    right: np.ndarray
    before: np.ndarray
    gone: float
    unit: str


def cost(method: MethodPlan, plan: PrunePlan) -> Cost:
    """Return an upper bound of the passes of ``attempt``."""
    return method.cost + Cost(2 * len(plan.parts.judged)) + Cost(len(plan.parts.calibration))


def attempt(
    method: MethodPlan,
    plan: PrunePlan,
    found: PruneSweep,
    repair: str,
    progress: Progress,
    cancel: Cancel,
) -> Tried:
    """Prune in another way, and judge what is left on the pictures of a sweep.

    Args:
        method: the way; it looks at the pictures that calibrate.
        plan, found: the sweep.
        repair: what is done to networks of which units were only chosen.
        progress, cancel: as everywhere.
    """
    from engine.pruning.methods.weight_masks import removed_share

    outcome = method.run(progress, cancel)
    if outcome.use is not None:
        use = outcome.use
        there = use.labels >= 0
        truth = np.where(there, use.labels, use.dense.argmax(axis=1))
        right, before = (said.argmax(axis=1) == truth for said in (use.masked, use.dense))
        return Tried(outcome, right, before, float("nan"), "units")
    network = outcome.model
    if outcome.masks is not None:
        gone, unit = removed_share(outcome.masks), "weights"
    else:
        assert outcome.kept is not None
        stay = np.concatenate([np.asarray(one, bool) for one in outcome.kept.values()])
        gone, unit = float(1 - stay.mean()), "units"
    if network is None:
        network = _gated(outcome, plan, repair, progress, cancel)
    right = pruned.right(network, plan, found, progress, cancel)
    return Tried(outcome, right, found.dense_right, gone, unit)


def _gated(
    outcome: Outcome, plan: PrunePlan, repair: str, progress: Progress, cancel: Cancel
) -> LoadedModel:
    from engine.execution.passes import Passes

    kept = outcome.kept
    assert kept is not None, "a way yields masks, units or a network"
    every = {**plan.groups.everything(), **kept}
    passes = Passes(plan.model, plan.workshop.cost((), (repair,), 1), progress, cancel)
    return plan.workshop.gated(every, repair, passes)
