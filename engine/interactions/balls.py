"""Three features, or four, that share what the loss may rise by."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from engine.execution.chunks import telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.environment import environment
from engine.execution.passes import Cancel, Progress
from engine.interaction_results import Ball, masks_of
from engine.interactions.asking import features_asked
from engine.interactions.combining import ball_models
from engine.interactions.costing import search_cost, usual_search
from engine.interactions.effects import OneModel, standard_error
from engine.interactions.planning import InteractionPlan, plan_interactions
from engine.interactions.running import check_finite, display_of, open_stage, whole_masks
from engine.interactions.searching import losses_once
from engine.interactions.world import Subset
from engine.manifest import key_of


def interaction_ball(
    model: Any,
    table: Any,
    features: Sequence[Any],
    *,
    label: str | None = None,
    rate: float = 0.1,
    epsilon: float | None = None,
    repeats: int = 100,
    rows: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Ball:
    """Say how three features, or four, interact in the Rashomon set (li2024exploring).

    All models whose budgets add up to ε, in all directions: without interaction they lie on a
    sphere of radius ε. Beside them φ of the reference for every set of the features, from which
    ``φ_I − Σ φ_i`` is the score of all together.

    Args:
        features: three or four, by name or number; a fourth is shown as a colour.
        model, table, label, rate, epsilon, repeats, rows, seed, progress, cancel: as in
            ``measure_interactions``.

    Raises:
        HaloscopeError: as in ``measure_interactions``.
    """
    planned = plan_interactions(
        model,
        table,
        label=label,
        pairs=[features[:2]] if len(features) > 1 else None,
        rate=rate,
        epsilon=epsilon,
        repeats=repeats,
        rows=rows,
        seed=seed,
    )
    return plan_ball(planned, features).run(progress, cancel)


@dataclass(frozen=True, eq=False)
class BallPlan:
    """A ball that could be computed.

    Attributes:
        plan: the data and what was asked; its pairs do not matter.
        features: three or four.
        subsets: all sets of them.
        request: all that decides the numbers.
        key: its digest.
        cost: an upper bound of the passes.
        usual: how many it takes as a rule.
        after: how many come after the search.
    """

    plan: InteractionPlan
    features: tuple[int, ...]
    subsets: tuple[Subset, ...]
    request: dict[str, Any]
    key: str
    cost: Cost
    usual: int
    after: int

    def run(self, progress: Progress | None = None, cancel: Cancel | None = None) -> Ball:
        """Compute; arguments and errors as in ``interaction_ball``."""
        started = time.perf_counter()
        chosen, subsets = self.features, self.subsets
        with telling_out_of_memory():
            stage = open_stage(
                replace(self.plan, cost=self.cost, usual=self.usual), progress, cancel
            )
            steps, signs = ball_models(len(chosen))
            stage.tally.expect(self.after)  # the search took less than it might have
            places = np.array(chosen)
            last = stage.found.masks[-1]
            loss = losses_once(stage.exact, whole_masks(stage, last, places, steps, signs))
            one = OneModel(stage.quick)
            drawn = [one.draws(subset, exact=stage.quick.exact(subsets)) for subset in subsets]
            check_finite(self.plan, *drawn)
        display = {**display_of(stage), "subsets": [list(subset) for subset in subsets]}
        seconds = time.perf_counter() - started
        return Ball(
            manifest=self._manifest(display, stage.tally.used, seconds),
            features=places.astype(np.int32),
            steps=steps,
            signs=signs,
            masks=masks_of(last, places, steps, signs),
            loss=loss,
            effects=np.array([draws.mean() for draws in drawn]),
            error=np.array([standard_error(draws) for draws in drawn]),
        )

    def source(self) -> dict[str, Any]:
        """Return names a person would know; they decide nothing."""
        return self.plan.source()

    def _manifest(self, display: dict[str, Any], passes: int, seconds: float) -> dict[str, Any]:
        data = self.plan.data
        return {
            "key": self.key,
            "request": self.request,
            "source": self.source(),
            "display": display,
            "outcome": {
                "passes": {"forward": passes, "backward": 0},
                "seconds": seconds,
                "samples": data.count,
                "environment": environment(data.model.device),
            },
        }


def plan_ball(plan: InteractionPlan, features: Sequence[Any]) -> BallPlan:
    """Return what a ball of some features of a plan's data would be known by and cost.

    Raises:
        InputError: no such feature, one named twice, or too few or many.
    """
    chosen = features_asked(plan.data, features, 3, 4)
    sizes = range(1, len(chosen) + 1)
    subsets = tuple(one for size in sizes for one in combinations(chosen, size))
    ignored = ("pairs", "retrained")
    request = {
        **{name: told for name, told in plan.request.items() if name not in ignored},
        "kind": Ball.kind,
        "features": list(chosen),
    }
    world = plan.data.bare(plan.repeats)
    exact = world.exact(subsets)
    effects = sum(world.cost_of(subset, exact=exact) for subset in subsets)
    models = len(ball_models(len(chosen))[0]) + 2
    passes = effects + models * world.cost_of_loss
    return BallPlan(
        plan=plan,
        features=chosen,
        subsets=subsets,
        request=request,
        key=key_of(request),
        cost=Cost(search_cost(world) + passes),
        usual=usual_search(world) + passes,
        after=passes,
    )
