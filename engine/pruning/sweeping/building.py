"""A workshop: scores units, and makes network after network from one, each repaired."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace

from engine.execution.cost import Cost
from engine.execution.passes import Passes
from engine.heads.pictures import Pictures, load_pictures
from engine.inputs.image_sets import ImageSet
from engine.inputs.images import Fit
from engine.models.loaded import LoadedModel
from engine.pruning.cutting.cut import zero_columns
from engine.pruning.repairing.repairs import Repairing
from engine.pruning.scoring.score import Scores, score_units, scores_cost
from engine.pruning.scoring.statistics import Statistics
from engine.pruning.sweeping.judged import Parts, held
from engine.pruning.units import Groups, Kept


class Workshop:
    """Makes gated networks from one.

    What many of them share is found once: the calibration pictures, what the whole network's
    units say of them, and how a pass goes through it.

    Args:
        model: the whole network; left as it is.
        groups: what can be removed from it.
        images: calibration pictures.
        parts: which of them.
        fit: how they are brought to the network's size.

    Attributes:
        pictures: those that calibrate.
    """

    def __init__(
        self, model: LoadedModel, groups: Groups, images: ImageSet, parts: Parts, fit: Fit
    ) -> None:
        self._model, self._groups = model, groups
        own = images.part(parts.calibration.tolist())
        self.pictures: Pictures = held(load_pictures(model, own, fit))
        self._repairing = Repairing(model, groups, self.pictures)
        self._told: dict[str, list[str]] = {}

    def cost(self, criteria: Sequence[str], repairs: Sequence[str], networks: int) -> Cost:
        """Return an upper bound of the passes of scores, and of so many networks' repairs."""
        cost = scores_cost(self._groups, criteria, len(self.pictures))
        cost += max((self._repairing.reading(one) for one in repairs), key=lambda one: one.total)
        for repair in repairs:
            each = self._repairing.cost(repair)
            cost += Cost(each.forward * networks)
        return cost

    @property
    def statistics(self) -> Statistics | None:
        """What the calibration pictures told of the units, where it has been read."""
        return self._repairing.statistics

    def scores(self, names: Sequence[str], seed: int, passes: Passes) -> Mapping[str, Scores]:
        """Score units by criteria; what that tells of the units serves repairs as well.

        Args:
            names: of criteria.
            seed: of what they draw.
            passes: count.
        """
        if not names:
            return {}
        found = score_units(
            self._model,
            self._groups,
            self.pictures,
            criteria=names,
            seed=seed,
            progress=passes.report,
            cancel=passes.cancel,
        )
        used = found.outcome.get("passes", {})
        passes.add(Cost(**used))
        self._repairing.statistics = found.statistics
        return found

    def effective(self, kept: Kept, repair: str) -> str:
        """Return what of a repair does anything to the network that keeps some units."""
        return self._repairing.effective(kept, repair)

    def gated(self, kept: Kept, repair: str, passes: Passes) -> LoadedModel:
        """Return a network in which nothing reads the units that went, repaired.

        It is known by the whole one's layers and classes, which are the same.
        """
        with self._model.ready() as module:
            copy = deepcopy(module)
        zero_columns(copy, self._groups.groups, kept)
        network = replace(self._model, module=copy, lock=threading.RLock(), _digest=None)
        self._told |= self._repairing.repair(network, kept, repair, passes)
        return network

    def notes(self) -> list[str]:
        """Return what a user should know of the repairs."""
        said = (
            ("without", "no bias could be compensated in {}: they have none, and no batch norm"),
            ("not_recalibrated", "not recalibrated, since a pass comes there more than once: {}"),
        )
        return [
            told.format(", ".join(self._told[name])) for name, told in said if self._told.get(name)
        ]
