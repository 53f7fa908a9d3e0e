"""Networks cut to size: made, judged, timed; each rests on a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dashboard.running import pruned
from engine.execution.cost import Cost

if TYPE_CHECKING:
    from engine.execution.passes import Cancel, Progress
    from engine.models.loaded import LoadedModel
    from engine.prune_results import PruneSweep
    from engine.pruning.measuring.costs import Costs
    from engine.pruning.measuring.latency import Latency
    from engine.pruning.sweeping.planning import PrunePlan
    from engine.pruning.units import Kept

DENSE, GATED, SLICED = "untouched", "gated", "cut to size"
ROUNDS = 20


@dataclass(frozen=True, eq=False)
class Small:
    """A network cut to size.

    Attributes:
        model: the network.
        kept: which units of the untouched one it has.
        right: which of the pictures that count it names right, bool ``(n,)``.
        costs: what it costs.
    """

    model: LoadedModel
    kept: Kept
    right: np.ndarray
    costs: Costs


def small_cost(plan: PrunePlan, repair: str, epochs: int = 0) -> Cost:
    """Return an upper bound of the passes of ``make``."""
    cost = pruned.repair_cost(plan, repair) + Cost(len(plan.parts.judged))
    if epochs:
        from engine.pruning.repairing.tuning import Recipe, tuning_cost

        cost += tuning_cost(Recipe(epochs=epochs), len(plan.parts.calibration), taught=True)
    return cost


def make(
    plan: PrunePlan,
    found: PruneSweep,
    way: int,
    ratio: int,
    round_to: int,
    epochs: int,
    progress: Progress,
    cancel: Cancel,
) -> Small:
    """Cut the network of a way and ratio to size, train it on if asked, and judge it.

    Args:
        plan, found, way, ratio: of the sweep.
        round_to: layers stay multiples of this wide: 16, 8, or 1 for any width.
        epochs: how often it sees each calibrating picture again, learning what the untouched
            network says of it; 0 for no training.
        progress, cancel: as everywhere.
    """
    from engine.pruning.cutting.slicing import rounded
    from engine.pruning.measuring.costs import costs_of
    from engine.pruning.smaller import cut

    own = found.ways[way]
    kept = found.kept_in(way, ratio)
    scores = {
        one.name: np.nan_to_num(found.scores[way, one.start : one.start + one.size])
        for one in found.layers
    }
    kept = rounded(plan.groups, kept, scores, round_to)
    images = plan.calibrating.part(plan.parts.calibration.tolist())
    model = cut(
        plan.model, kept, images, own.repair,  # type: ignore[arg-type]
        fit=plan.fit, progress=progress, cancel=cancel,
        criterion=own.criterion, ratio=float(found.ratios[ratio]), scope=own.scope,
    )  # fmt: skip
    if epochs:
        from engine.pruning.repairing.tuning import Recipe, fine_tuned

        recipe = Recipe(epochs=epochs, seed=plan.seed)
        model = fine_tuned(
            model, images, recipe, teacher=plan.model, fit=plan.fit, progress=progress,
            cancel=cancel,
        ).model  # fmt: skip
    right = pruned.right(model, plan, found, progress, cancel)
    return Small(model, kept, right, costs_of(model))


def timed(
    plan: PrunePlan, kept: Kept, small: LoadedModel, progress: Progress, cancel: Cancel
) -> Latency:
    """Time passes of one picture through the untouched network, the gated and the small one."""
    from engine.pruning.cutting.gating import gated_copy
    from engine.pruning.measuring.latency import measure_latency

    networks: Mapping[str, Any] = {
        DENSE: plan.model, GATED: gated_copy(plan.model, kept), SLICED: small,
    }  # fmt: skip
    return measure_latency(networks, rounds=ROUNDS, progress=progress, cancel=cancel)
