"""A workshop: scores units, and makes network after network from one, each repaired."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace

from engine.execution.passes import Passes
from engine.heads.pictures import Pictures, load_pictures
from engine.inputs.image_sets import ImageSet
from engine.inputs.images import Fit
from engine.models.loaded import LoadedModel
from engine.pruning.cutting import zero_columns
from engine.pruning.judged import Parts
from engine.pruning.repairs import Repairing
from engine.pruning.scoring import Scores, score_units
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
        self.pictures: Pictures = load_pictures(
            model, images.part(parts.calibration.tolist()), fit
        )
        self._repairing = Repairing(model, groups, self.pictures)

    def scores(self, names: Sequence[str], seed: int, passes: Passes) -> Mapping[str, Scores]:
        """Score units by criteria; the statistics serve repairs as well.

        Args:
            names: of criteria.
            seed: of what they draw.
            passes: count.
        """
        found = score_units(
            self._model,
            self._groups,
            self.pictures,
            criteria=names,
            seed=seed,
            progress=passes.report,
            cancel=passes.cancel,
        )
        passes.add(found.cost)
        self._repairing.statistics = found.statistics
        return found

    def gated(self, kept: Kept, repair: str, passes: Passes) -> LoadedModel:
        """Return a network in which nothing reads the units that went, repaired.

        It is known by the whole one's layers and classes, which are the same.
        """
        with self._model.ready() as module:
            copy = deepcopy(module)
        zero_columns(copy, self._groups.groups, kept)
        network = replace(self._model, module=copy, lock=threading.RLock(), _digest=None)
        self._repairing.repair(network, kept, repair, passes)
        return network

    def notes(self) -> list[str]:
        """Return what a user should know of the repairs."""
        return self._repairing.notes()
