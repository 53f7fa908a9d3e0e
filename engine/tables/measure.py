"""What a measure of columns is: one class that says all about itself, and computes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch

from engine.errors import MethodError
from engine.execution.chunks import Chunks
from engine.execution.cost import Cost
from engine.inputs.tables import Table
from engine.models.loaded import LoadedModel
from engine.models.outputs import Readout
from engine.models.rows import Rows
from engine.parameters import Parameter, Value
from engine.table_results import Measured
from engine.tables.outcomes import Batch, logits_of_rows, scores_over
from engine.tables.steps import Steps


@dataclass(frozen=True)
class Run:
    """All that a measure needs to compute.

    Attributes:
        rows: the rows that are looked at.
        table: the whole table, of which they may be a sample.
        loaded: the model, or None for measures that ask none.
        explained: the number of the output that is explained; None where none is.
        column: the index of the column asked about, for measures that take one.
        parameters: a valid value for every declared parameter.
        seed: for whatever is drawn.
        passes: counted passes, and steps that are none.
        chunks: how many samples go through at once.
    """

    rows: Rows
    table: Table
    loaded: LoadedModel | None
    explained: Readout | None
    column: int | None
    parameters: Mapping[str, Value]
    seed: int
    passes: Steps
    chunks: Chunks

    @property
    def model(self) -> LoadedModel:
        """The model.

        Raises:
            MethodError: there is none.
        """
        if self.loaded is None:
            raise MethodError("this measure asks a model; name one")
        return self.loaded

    @property
    def readout(self) -> Readout:
        """The number that is explained.

        Raises:
            MethodError: there is none.
        """
        if self.explained is None:
            raise MethodError("this measure explains a number of the model's output; name a target")
        return self.explained

    def features(self) -> torch.Tensor:
        """Return the rows as the network sees them, ``(n, features)``, on its device."""
        return torch.from_numpy(self.rows.features).to(self.model.device)

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """Return what the model says of features: float32 ``(n, classes)``, on the CPU."""
        return logits_of_rows(self.passes, self.chunks, features)

    def scores(self, count: int, batch: Batch) -> np.ndarray:
        """Return the explained number of many samples, float64 ``(count,)``.

        Args:
            count: how many.
            batch: returns the samples ``[start, stop)`` as the network sees them.
        """
        return scores_over(self.passes, self.chunks, count, batch, self.readout)


@dataclass(frozen=True)
class Found:
    """What a measure found.

    Attributes:
        arrays: the fields of its kind of result, by name.
        told: what it says of itself, for the manifest's ``outcome``.
        display: what else is needed to show it; may name another ``unit``.
    """

    arrays: dict[str, np.ndarray | None]
    told: dict[str, Any] = field(default_factory=dict)
    display: dict[str, Any] = field(default_factory=dict)


class Measure(ABC):
    """Base of all measures. Adding one is one file here and one file of tests.

    Attributes:
        name: identifier ("permutation").
        title: what people call it.
        summary: one line on what it tells.
        result: the kind of result.
        parameters: as declared; ``parameters_for`` fits them to a model.
        paper: key in the bibliography.
        caveat: what to keep in mind when reading it, and what we had to define.
        unit: of the values, in words; "{number}" stands for the number that is explained.
        needs_model, needs_labels: whether it asks a model, or needs the truth of each row.
        takes_labels: whether it uses the truth where there is one.
        takes_target: whether it explains one number of the output.
        takes_column: whether it asks about one column.
        most_rows: how many rows it looks at unless told; of more, so many are drawn.
        limit: how many it looks at in any case; None for as many as there are.
        least_rows: fewer say nothing.
        packages: what computes beside the engine, torch and numpy.
        steps_told: what its steps that are no passes are, in the plural.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    result: ClassVar[type[Measured]]
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    paper: ClassVar[str]
    caveat: ClassVar[str]
    unit: ClassVar[str]
    needs_model: ClassVar[bool] = True
    needs_labels: ClassVar[bool] = False
    takes_labels: ClassVar[bool] = False
    takes_target: ClassVar[bool] = True
    takes_column: ClassVar[bool] = False
    most_rows: ClassVar[int] = 2000
    limit: ClassVar[int | None] = None
    least_rows: ClassVar[int] = 2
    packages: ClassVar[tuple[str, ...]] = ()
    steps_told: ClassVar[str] = "steps"

    @abstractmethod
    def cost(
        self,
        model: LoadedModel | None,
        rows: Rows,
        parameters: Mapping[str, Value],
        column: int | None = None,
    ) -> Cost:
        """Return an upper bound of the passes used."""

    def steps(self, rows: Rows, parameters: Mapping[str, Value]) -> int:
        """Return how many steps it takes that are no passes; progress counts them as well."""
        return 0

    @abstractmethod
    def measure(self, run: Run) -> Found:
        """Compute."""

    def parameters_for(self, model: LoadedModel | None) -> tuple[Parameter, ...]:
        """Return the parameters with defaults and choices that suit a model.

        Raises:
            MethodError: the measure does not suit it.
        """
        return self.parameters
