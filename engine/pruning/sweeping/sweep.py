"""Sweeping: units are scored once; then network after network is cut, repaired and asked."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from engine.execution.chunks import Chunks, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.environment import environment
from engine.execution.passes import Cancel, Passes, Progress
from engine.manifest import digest_of, key_of
from engine.prune_results import RANDOM, PruneCell, PruneSweep
from engine.pruning.corruptions.corrupting import corruptions
from engine.pruning.measuring.costs import Costs, costs_of
from engine.pruning.scoring.registry import find_criterion
from engine.pruning.scoring.scopes import choose
from engine.pruning.scoring.score import score_units
from engine.pruning.sweeping.judged import Prepared, answers, class_names
from engine.pruning.sweeping.under_corruption import Corrupted, right_under
from engine.results import Result

if TYPE_CHECKING:
    from engine.pruning.sweeping.building import Workshop
    from engine.pruning.sweeping.planning import PrunePlan
    from engine.pruning.units import Kept


class Keeper(Protocol):
    """Somewhere to keep results, and to find them again."""

    def find(self, key: str) -> Result | None:
        """Return the result of a key, if it is kept."""
        ...

    def keep(self, result: Result) -> None:
        """Keep a result."""
        ...


@dataclass
class _Sweep:
    """One sweep under way.

    Attributes:
        plan: what was asked.
        passes, chunks: count, and how many go through at once.
        pictures: what networks are judged on.
        workshop: makes networks.
        corrupted: the same pictures corrupted, or None.
        truth: what counts as right, int32 ``(n,)``; None until the untouched network has said it,
            where there are no labels.
        cells: what networks said, by key: the same network is asked once.
        resumed: how many of them were kept from earlier work.
    """

    plan: PrunePlan
    passes: Passes
    chunks: Chunks
    pictures: Prepared
    workshop: Workshop
    corrupted: Corrupted | None
    truth: np.ndarray | None
    keeper: Keeper | None
    cells: dict[str, PruneCell] = field(default_factory=dict)
    resumed: int = 0

    def cell(self, kept: Kept | None, repair: str) -> PruneCell:
        """Return what a network says.

        Args:
            kept: which units stay; None for the untouched network.
            repair: what is done to it after.
        """
        if kept is not None:
            repair = self.workshop.effective(kept, repair)
            if repair == "none" and all(stays.all() for stays in kept.values()):
                kept = None  # nothing was done to it
        request = self._request(kept, repair)
        key = key_of(request)
        if key not in self.cells:
            self.cells[key] = self._known(key) or self._asked(kept, repair, request, key)
        if self.truth is None:
            self.truth = self.cells[key].predicted
        return self.cells[key]

    def _known(self, key: str) -> PruneCell | None:
        found = None if self.keeper is None else self.keeper.find(key)
        if not isinstance(found, PruneCell):
            return None
        self.resumed += 1
        spared = Cost(**found.manifest["outcome"]["passes"])
        left = self.passes.promised
        self.passes.promised = Cost(left.forward - spared.forward, left.backward - spared.backward)
        return found

    def _asked(
        self, kept: Kept | None, repair: str, request: dict[str, Any], key: str
    ) -> PruneCell:
        started, before = time.perf_counter(), self.passes.used
        model = self.plan.model
        network = model if kept is None else self.workshop.gated(kept, repair, self.passes)
        predicted, confidence = answers(self.passes, self.chunks, network, self.pictures)
        corrupted = np.zeros((0, 0), np.float32)
        if self.corrupted is not None:
            truth = predicted if self.truth is None else self.truth
            corrupted = right_under(self.passes, self.chunks, network, self.corrupted, truth)
        used = self.passes.used
        passes = {
            "forward": used.forward - before.forward,
            "backward": used.backward - before.backward,
        }
        manifest = {
            "key": key,
            "request": request,
            "source": self.plan.source(),
            "outcome": {"passes": passes, "seconds": time.perf_counter() - started},
        }
        found = PruneCell(manifest, predicted, confidence, corrupted)
        if self.keeper is not None:
            self.keeper.keep(found)
        return found

    def _request(self, kept: Kept | None, repair: str) -> dict[str, Any]:
        """Return what decides the answers of one network, whatever else the sweep asks."""
        shared = {name: told for name, told in self.plan.request.items() if name not in _ASIDE}
        bits = [] if kept is None else [np.packbits(kept[name]).tobytes() for name in sorted(kept)]
        return {
            **shared,
            "kind": PruneCell.kind,
            "kept": digest_of(*bits) if bits else None,
            "repair": repair if bits else None,
        }


# What a single network does not depend on: which units stay is told in full.
_ASIDE = ("criteria", "ratios", "repairs", "scope", "overrides", "draws")


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
        sweep = _opened(plan, passes, pictures, workshop, keeper)
        dense = sweep.cell(None, "none")
        kept, cells = _cells(sweep, scores)
    return _result(sweep, scores, dense, kept, cells, started)


def _opened(
    plan: PrunePlan,
    passes: Passes,
    pictures: Prepared,
    workshop: Workshop,
    keeper: Keeper | None,
) -> _Sweep:
    """Return the sweep, ready to ask; the untouched network is to be asked first."""
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
    return _Sweep(plan, passes, chunks, pictures, workshop, corrupted, truth, keeper)


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
    sweep: _Sweep, scores: dict[tuple[str, int], dict[str, np.ndarray]]
) -> tuple[list[list[Kept]], list[list[PruneCell]]]:
    """Return which units stay, and what networks say: by way, then ratio.

    Small ratios of all ways come first, so that work that is stopped has something of each.
    """
    plan, asked = sweep.plan, sweep.plan.asked
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
            cells[place].append(sweep.cell(stays, way.repair))
    return kept, cells


def _result(
    sweep: _Sweep,
    scores: dict[tuple[str, int], dict[str, np.ndarray]],
    dense: PruneCell,
    kept: list[list[Kept]],
    cells: list[list[PruneCell]],
    started: float,
) -> PruneSweep:
    plan, asked = sweep.plan, sweep.plan.asked
    names = [group.name for group in plan.groups.groups]
    costs = _costs(plan, kept)
    corrupted = bool(asked.corruptions)
    return PruneSweep(
        manifest=_manifest(sweep, started),
        ratios=np.array(asked.ratios),
        labels=plan.labels[sweep.pictures.places],
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


def _manifest(sweep: _Sweep, started: float) -> dict[str, Any]:
    plan, used = sweep.plan, sweep.passes.used
    asked, whole = plan.asked, costs_of(plan.model)
    notes = [plan.parts.note] if plan.parts.note else []
    return {
        "key": plan.key,
        "request": plan.request,
        "source": {
            **plan.source(),
            "pictures": [plan.images.entries[place].name for place in sweep.pictures.places],
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
            "notes": [*notes, *sweep.workshop.notes()],
        },
        "outcome": {
            "passes": {"forward": used.forward, "backward": used.backward},
            "seconds": time.perf_counter() - started,
            "chunk": sweep.chunks.size,
            "networks": len(sweep.cells),
            "resumed": sweep.resumed,
            "calibrated_on": len(sweep.workshop.pictures),
            "skipped": [
                [plan.images.entries[place].name, why]
                for place, why in sorted(sweep.pictures.skipped.items())
            ],
            "environment": environment(plan.model.device),
        },
    }
