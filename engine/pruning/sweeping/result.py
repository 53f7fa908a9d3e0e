"""What a sweep found, put together into one result."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.execution.environment import environment
from engine.prune_results import RANDOM, PruneCell, PruneSweep
from engine.pruning.corruptions.corrupting import corruptions
from engine.pruning.measuring.costs import Costs, costs_of
from engine.pruning.scoring.registry import find_criterion
from engine.pruning.sweeping.judged import class_names
from engine.pruning.sweeping.networks import Networks

if TYPE_CHECKING:
    from engine.pruning.sweeping.planning import PrunePlan
    from engine.pruning.units import Kept


def sweep_result(
    networks: Networks,
    scores: dict[tuple[str, int], dict[str, np.ndarray]],
    dense: PruneCell,
    kept: list[list[Kept]],
    cells: list[list[PruneCell]],
    started: float,
) -> PruneSweep:
    """Return what a sweep found.

    Args:
        networks: those that were asked.
        scores: of every choice, by criterion and draw, then group.
        dense: what the untouched network says.
        kept, cells: which units stay, and what networks say: by way, then ratio.
        started: when the work began, by ``time.perf_counter``.
    """
    plan, asked = networks.plan, networks.plan.asked
    names = [group.name for group in plan.groups.groups]
    costs = _costs(plan, kept)
    corrupted = bool(asked.corruptions)
    return PruneSweep(
        manifest=_manifest(networks, started),
        ratios=np.array(asked.ratios),
        labels=plan.labels[networks.pictures.places],
        dense_predicted=dense.predicted,
        dense_confidence=dense.confidence,
        predicted=np.stack([[cell.predicted for cell in row] for row in cells]),
        confidence=np.stack([[cell.confidence for cell in row] for row in cells]),
        kept=np.stack([[np.concatenate([one[n] for n in names]) for one in row] for row in kept]),
        scores=np.stack([_joined(plan, scores[way.criterion, way.draw]) for way in asked.ways]),
        parameters=np.array([[one.parameters for one in row] for row in costs], dtype=np.int64),
        macs=np.array([[one.macs for one in row] for row in costs], dtype=np.int64),
        corrupted=np.stack([[c.corrupted for c in row] for row in cells]) if corrupted else None,
        dense_corrupted=dense.corrupted if corrupted else None,
    )


def _costs(plan: PrunePlan, kept: list[list[Kept]]) -> list[list[Costs]]:
    """Return what networks cost, by way, then ratio; the same units cost the same."""
    known: dict[bytes, Costs] = {}

    def of(stays: Kept) -> Costs:
        bits = np.packbits(np.concatenate([stays[one.name] for one in plan.groups.groups]))
        if bits.tobytes() not in known:
            known[bits.tobytes()] = costs_of(plan.model, plan.groups, stays)
        return known[bits.tobytes()]

    return [[of(one) for one in row] for row in kept]


def _joined(plan: PrunePlan, scores: dict[str, np.ndarray]) -> np.ndarray:
    """Return the scores of all units, NaN where a criterion cannot judge them."""
    every = [scores.get(one.name, np.full(one.size, np.nan)) for one in plan.groups.groups]
    return np.concatenate(every)


def _manifest(networks: Networks, started: float) -> dict[str, Any]:
    plan, used = networks.plan, networks.passes.used
    asked, whole = plan.asked, costs_of(plan.model)
    notes = [plan.parts.note] if plan.parts.note else []
    return {
        "key": plan.key,
        "request": plan.request,
        "source": {
            **plan.source(),
            "pictures": [plan.images.entries[place].name for place in networks.pictures.places],
        },
        "display": {
            "ways": [vars(way) for way in asked.ways],
            "layers": [
                {"name": one.name, "title": one.title, "kind": one.kind, "size": one.size}
                for one in plan.groups.groups
            ],
            "refused": dict(plan.groups.refused),
            "classes": class_names(plan.model),
            "criteria": {name: find_criterion(name).title for name in (*asked.criteria, RANDOM)},
            "corruptions": list(asked.corruptions),
            "corruption_titles": {name: corruptions()[name].title for name in asked.corruptions},
            "severities": list(asked.severities),
            "parameters": whole.parameters,
            "macs": whole.macs,
            "bytes": whole.size,
            "notes": [*notes, *networks.workshop.notes()],
        },
        "outcome": {
            "passes": {"forward": used.forward, "backward": used.backward},
            "seconds": time.perf_counter() - started,
            "chunk": networks.chunks.size,
            "networks": len(networks.cells),
            "resumed": networks.resumed,
            "calibrated_on": len(networks.workshop.pictures),
            "skipped": [
                [plan.images.entries[place].name, why]
                for place, why in sorted(networks.pictures.skipped.items())
            ],
            "environment": environment(plan.model.device),
        },
    }
