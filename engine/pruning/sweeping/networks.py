"""Network after network of a sweep: each is asked once, and what it says is kept."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.execution.chunks import Chunks
from engine.execution.cost import Cost
from engine.execution.keeping import Keeper
from engine.execution.passes import Passes
from engine.manifest import digest_of, key_of
from engine.prune_results import PruneCell
from engine.pruning.sweeping.judged import Prepared, answers
from engine.pruning.sweeping.under_corruption import Corrupted, right_under

if TYPE_CHECKING:
    from engine.pruning.sweeping.building import Workshop
    from engine.pruning.sweeping.planning import PrunePlan
    from engine.pruning.units import Kept


@dataclass
class Networks:
    """The networks of a sweep under way: each is asked once, and what it says is kept.

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
