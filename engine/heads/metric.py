"""What a metric of heads is, and what a family of metrics shares."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from engine.attention.site import AttentionSites
from engine.errors import MethodError
from engine.execution.cost import Cost
from engine.heads.ablation import Place
from engine.heads.running import Rows, Run
from engine.models.loaded import LoadedModel
from engine.parameters import Parameter, Value


class Family(ABC):
    """One way to compute; whoever asks for one of its metrics gets the others for nothing.

    Attributes:
        name: identifier.
        cost_told: the passes for each picture, in words.
        exact: whether heads are really switched off.
        one_by_one: whether that is done head by head, so that some can be chosen, or kept.
        asks_class: whether it asks about a class: the true one, else the predicted.
        drawn: whether parameters and seed change what is computed, beside how it is put
            together.
    """

    name: ClassVar[str]
    cost_told: ClassVar[str]
    exact: ClassVar[bool] = False
    one_by_one: ClassVar[bool] = False
    asks_class: ClassVar[bool] = False
    drawn: ClassVar[bool] = False

    @abstractmethod
    def cost(
        self,
        found: AttentionSites,
        pictures: int,
        parameters: Mapping[str, Value],
        keep_one: bool,
        places: int | None = None,
    ) -> Cost:
        """Return an upper bound of the passes.

        Args:
            found: the model's attention.
            pictures: how many there are.
            parameters: of the metric.
            keep_one: whether heads are judged as the only one of their layer.
            places: how many heads are asked about; None: all.
        """

    @abstractmethod
    def compute(self, run: Run, metrics: Sequence[HeadMetric]) -> Rows:
        """Return float64 ``(pictures, heads)`` by the metric's name, heads layer by layer."""

    def refusal(self, model: LoadedModel, found: AttentionSites) -> str:
        """Say why it does not suit a model, or nothing if it does."""
        return ""


class OnePass(Family):
    """What one forward pass of each picture tells."""

    cost_told = "one pass"

    def cost(
        self,
        found: AttentionSites,
        pictures: int,
        parameters: Mapping[str, Value],
        keep_one: bool,
        places: int | None = None,
    ) -> Cost:
        """Each picture once."""
        return Cost(pictures)


class HeadMetric(ABC):
    """One way to say how much a head matters. Adding one is one file here and a test.

    Attributes:
        name: identifier ("cross-entropy").
        title: what people call it.
        summary: one line on what it tells.
        unit: of the values, in words.
        paper: key in the bibliography.
        caveat: what to keep in mind, and what we had to define.
        parameters: as declared.
        family: what it is computed with.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    unit: ClassVar[str]
    paper: ClassVar[str]
    caveat: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    family: ClassVar[Family]

    @property
    def exact(self) -> bool:
        """Whether heads are really switched off."""
        return self.family.exact

    @property
    def asks_class(self) -> bool:
        """Whether it asks about a class, and so uses labels where there are any."""
        return self.family.asks_class

    def refusal(self, model: LoadedModel, found: AttentionSites) -> str:
        """Say why it does not suit a model, or nothing if it does."""
        return self.family.refusal(model, found)

    def check_suits(self, model: LoadedModel, found: AttentionSites) -> None:
        """Raise ``MethodError`` if the heads of a model cannot be judged so."""
        reason = found.problem or self.refusal(model, found)
        if reason:
            raise MethodError(reason)

    def combined(
        self, rows: Rows, places: Sequence[Place], parameters: Mapping[str, Value]
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return mean and standard error over pictures, float64 ``(heads,)``.

        Args:
            rows: what the family computed.
            places: layer and head of each.
            parameters: of the metric.
        """
        return mean_and_error(rows[self.name])

    def unit_for(self, parameters: Mapping[str, Value]) -> str:
        """Return the unit under given parameters."""
        return self.unit


def mean_and_error(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the mean over pictures and its standard error (sd / √n); of one picture None."""
    mean = rows.mean(axis=0)
    if len(rows) < 2:
        return mean, None
    return mean, rows.std(axis=0, ddof=1) / np.sqrt(len(rows))
