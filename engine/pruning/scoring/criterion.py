"""What a criterion is: a number for each unit, low for what goes first."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import torch

from engine.errors import MethodError
from engine.heads.metric import HeadMetric
from engine.models.loaded import LoadedModel
from engine.pruning.scoring.statistics import Statistics
from engine.pruning.units import Group, Groups, Kind

Needs = Literal["weights", "activations", "gradients", "passes"]
ALL: tuple[Kind, ...] = ("channels", "hidden", "heads")
HEADS: tuple[Kind, ...] = ("heads",)


@dataclass(frozen=True, eq=False)
class Material:
    """All that scores are made of.

    Attributes:
        model: whose units.
        groups: all of them.
        seed: for whatever is drawn.
        statistics: what pictures told; None where no criterion asked for it.
        ablation: of heads, by the group's name: mean rise of the loss without each.
    """

    model: LoadedModel
    groups: Groups
    seed: int
    statistics: Statistics | None = None
    ablation: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def told(self) -> Statistics:
        """What pictures told."""
        assert self.statistics is not None
        return self.statistics


class Criterion(ABC):
    """One way to say how much a unit matters. Adding one is one file in ``criteria`` and a test.

    Attributes:
        name: identifier ("taylor").
        title: what people call it.
        summary: one line on what it tells.
        paper: key in the bibliography.
        caveat: what to keep in mind, and what we had to define.
        needs: "weights" alone; "activations", one forward pass of each picture; "gradients",
            one there and back; "passes", one for each unit.
        kinds: of units that it suits.
        metric: of heads, computed in the same pass; or None.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    paper: ClassVar[str]
    caveat: ClassVar[str]
    needs: ClassVar[Needs]
    kinds: ClassVar[tuple[Kind, ...]] = ALL
    metric: ClassVar[HeadMetric | None] = None

    def refusal(self, model: LoadedModel, group: Group) -> str:
        """Say why it cannot judge a group, or nothing if it can."""
        if group.kind not in self.kinds:
            return f"{self.title} judges {' and '.join(self.kinds)}; {group.title} has {group.kind}"
        return ""

    @abstractmethod
    def of_group(self, material: Material, group: Group) -> np.ndarray:
        """Return the scores of a group, float64 ``(size,)``; low goes first."""


class OfWeights(Criterion):
    """What weights alone tell."""

    needs = "weights"

    def of_group(self, material: Material, group: Group) -> np.ndarray:
        """Return the scores of a group, float64 ``(size,)``."""
        return np.asarray(self.of_weights(material.model.module, group).numpy())

    @abstractmethod
    def of_weights(self, module: torch.nn.Module, group: Group) -> torch.Tensor:
        """Return them, float64 ``(size,)``."""


class OfHeads(Criterion):
    """A metric of heads that the pass over the pictures computes beside the rest."""

    kinds = HEADS
    needs = "activations"

    def of_group(self, material: Material, group: Group) -> np.ndarray:
        """Return the metric's mean over pictures, float64 ``(size,)``."""
        assert self.metric is not None
        return material.told.heads[self.metric.name][group.name]


def judged(criterion: Criterion, model: LoadedModel, groups: Groups) -> list[Group]:
    """Return the groups that a criterion can judge.

    Raises:
        MethodError: there is none, with the first reason.
    """
    reasons = [criterion.refusal(model, group) for group in groups.groups]
    found = [group for group, why in zip(groups.groups, reasons, strict=True) if not why]
    if not found:
        first = reasons[0] if reasons else f"{model.card.title} has no units that can be removed"
        raise MethodError(first)
    return found
