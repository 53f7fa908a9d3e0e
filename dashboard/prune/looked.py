"""What the views share: the sweep, and which way and ratio of it are looked at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dashboard.interactions.looked import chart as show_chart
from dashboard.prune.choosing import Asked
from dashboard.prune.settings import Settings
from engine.inputs.image_sets import ImageSet
from engine.manifest import digest_of
from engine.models.loaded import LoadedModel
from engine.prune_results import PruneSweep
from engine.pruning.measuring.costs import Costs, costs_of
from engine.pruning.sweeping.planning import PrunePlan


@dataclass(frozen=True, eq=False)
class Looked:
    """A sweep that is there, and what is looked at.

    Attributes:
        asked, settings: what the widgets say.
        plan: of the whole sweep.
        found: the sweep, or as much of it as is there.
        way, ratio: places of what is looked at.
    """

    asked: Asked
    settings: Settings
    plan: PrunePlan
    found: PruneSweep
    way: int
    ratio: int

    @property
    def model(self) -> LoadedModel:
        """The untouched network."""
        return self.plan.model

    @property
    def kept(self) -> dict[str, np.ndarray]:
        """Which units stay, by the layer's name."""
        return self.found.kept_in(self.way, self.ratio)

    @property
    def gone(self) -> int:
        """How many units went."""
        return int((~self.found.kept[self.way, self.ratio]).sum())

    @property
    def judging(self) -> ImageSet:
        """The pictures that networks are judged on."""
        return self.plan.images.part(self.plan.parts.judged.tolist())

    @property
    def calibrating(self) -> ImageSet:
        """The pictures that units are scored and networks repaired with."""
        return self.plan.calibrating.part(self.plan.parts.calibration.tolist())

    @property
    def key(self) -> str:
        """Digest of the network that is looked at, and of what it was made with."""
        bits = np.packbits(self.found.kept[self.way, self.ratio]).tobytes()
        told = f"{self.settings.repair} {self.plan.fit} {self.settings.seed}"
        origin = f"{self.plan.images.digest} {self.model.digest} {self.model.classes_digest}"
        return digest_of(bits, told.encode(), origin.encode())

    @property
    def costs(self) -> Costs:
        """What the network costs, cut to size."""
        return costs_of(self.model, self.plan.groups, self.kept)


chart = show_chart
