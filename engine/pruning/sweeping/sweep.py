"""Sweeping: units are scored once; then network after network is cut, repaired and asked."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from engine.execution.chunks import Chunks, telling_out_of_memory
from engine.execution.keeping import Keeper
from engine.execution.passes import Cancel, Passes, Progress
from engine.prune_results import RANDOM, PruneCell, PruneSweep
from engine.pruning.scoring.scopes import choose
from engine.pruning.scoring.score import score_units
from engine.pruning.sweeping.judged import Prepared
from engine.pruning.sweeping.networks import Networks
from engine.pruning.sweeping.result import sweep_result
from engine.pruning.sweeping.under_corruption import Corrupted

if TYPE_CHECKING:
    from engine.pruning.sweeping.building import Workshop
    from engine.pruning.sweeping.planning import PrunePlan
    from engine.pruning.units import Kept


def run_sweep(
    plan: PrunePlan, progress: Progress | None, cancel: Cancel | None, keeper: Keeper | None
) -> PruneSweep:
    """Compute what a plan promises; arguments and errors as in its ``run``."""
    started = time.perf_counter()
    passes = Passes(plan.model, plan.cost, progress, cancel)
    passes.check()
    with telling_out_of_memory():
        pictures = Prepared(plan.model, plan.images, plan.parts.judged, plan.fit)
        workshop = plan.workshop
        scores = _scores(plan, passes, workshop)
        networks = _opened(plan, passes, pictures, workshop, keeper)
        dense = networks.cell(None, "none")
        kept, cells = _cells(networks, scores)
    return sweep_result(networks, scores, dense, kept, cells, started)


def _opened(
    plan: PrunePlan,
    passes: Passes,
    pictures: Prepared,
    workshop: Workshop,
    keeper: Keeper | None,
) -> Networks:
    """Return the sweep's networks, ready to be made; the untouched one is to be asked first."""
    asked = plan.asked
    chunks = Chunks(plan.request["chunk"])
    corrupted = None
    if asked.corruptions:
        corrupted = Corrupted(
            plan.model, plan.images, pictures.places, asked.corruptions, asked.severities,
            plan.fit, plan.seed,
        )  # fmt: skip
    labels = plan.labels[pictures.places]
    truth = labels if (labels >= 0).any() else None
    return Networks(plan, passes, chunks, pictures, workshop, corrupted, truth, keeper)


def _scores(
    plan: PrunePlan, passes: Passes, workshop: Workshop
) -> dict[tuple[str, int], dict[str, np.ndarray]]:
    """Return the scores of every choice, by criterion and draw, then group."""
    asked = plan.asked
    found = workshop.scores(asked.criteria, plan.seed, passes)
    every = {(name, 0): dict(found[name]) for name in asked.criteria}
    for draw in range(asked.draws):
        drawn = score_units(plan.model, plan.groups, criteria=[RANDOM], seed=plan.seed + draw)
        every[RANDOM, draw] = dict(drawn[RANDOM])
    return every


def _cells(
    networks: Networks, scores: dict[tuple[str, int], dict[str, np.ndarray]]
) -> tuple[list[list[Kept]], list[list[PruneCell]]]:
    """Return which units stay, and what networks say: by way, then ratio.

    Small ratios of all ways come first, so that work that is stopped has something of each.
    """
    plan, asked = networks.plan, networks.plan.asked
    kept: list[list[Kept]] = [[] for _ in asked.ways]
    cells: list[list[PruneCell]] = [[] for _ in asked.ways]
    for ratio in asked.ratios:
        for place, way in enumerate(asked.ways):
            own = scores[way.criterion, way.draw]
            overrides = {name: share for name, share in asked.overrides.items() if name in own}
            stays = (
                plan.groups.everything()
                if ratio == 0
                else choose(own, plan.groups, ratio, asked.scope, overrides)  # type: ignore[arg-type]
            )
            kept[place].append(stays)
            cells[place].append(networks.cell(stays, way.repair))
    return kept, cells
