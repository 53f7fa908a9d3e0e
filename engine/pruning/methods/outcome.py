"""What a method of pruning yields: scores, masks, a changed copy, or what each picture uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.models.loaded import LoadedModel
from engine.pruning.methods.weight_masks import WeightMasks
from engine.pruning.units import Kept


@dataclass(frozen=True, eq=False)
class Use:
    """Which units a network used for each picture, and what it said with those alone.

    Attributes:
        names: of the pictures.
        labels: int64 ``(n,)``, −1 where there is none.
        used: bool ``(n, size)`` by the group's name: units that at least one reader kept.
        dense, masked: probabilities float64 ``(n, classes)`` with all units, with those used.
        all_macs: multiply–accumulates of one picture with all units, by formula.
        macs: int64 ``(n,)``: what the units that each picture used would cost alone.
    """

    names: tuple[str, ...]
    labels: np.ndarray
    used: Mapping[str, np.ndarray]
    dense: np.ndarray
    masked: np.ndarray
    all_macs: int
    macs: np.ndarray

    @property
    def counts(self) -> dict[str, np.ndarray]:
        """How many units of each group each picture used, int64 ``(n,)``."""
        return {name: used.sum(axis=1) for name, used in self.used.items()}

    def kept_of(self, picture: int) -> dict[str, np.ndarray]:
        """Return the units that one picture used, as what a pruned network keeps."""
        return {name: used[picture] for name, used in self.used.items()}


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a method yields; what it does not yield is None.

    Attributes:
        told: what happened, in numbers and lines: "skipped" (layer → why), "merged" …
        scores: float64 ``(size,)`` by the group's name; low goes first.
        kept: units that the method itself would keep.
        weight_scores: float64 of a weight's shape by its name; low goes first.
        masks: weights that the method itself would keep.
        model: a copy of the network with other weights, where the method changes them. Never
            smaller: units that went have consumers' columns of zero.
        use: what each picture used.
        losses: float64 ``(steps,)`` of a training.
    """

    told: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, np.ndarray] | None = None
    kept: Kept | None = None
    weight_scores: Mapping[str, np.ndarray] | None = None
    masks: WeightMasks | None = None
    model: LoadedModel | None = None
    use: Use | None = None
    losses: np.ndarray | None = None
