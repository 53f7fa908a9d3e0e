"""What a method of pruning is that does more than score units, and all it needs to work."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch

from engine.errors import InputError, MethodError
from engine.execution.chunks import Chunks
from engine.execution.cost import Cost
from engine.execution.passes import Passes, Progress
from engine.heads.pictures import Pictures
from engine.heads.running import Batch
from engine.models.loaded import LoadedModel
from engine.parameters import Parameter, Value
from engine.pruning.methods.outcome import Outcome
from engine.pruning.units import Groups


@dataclass(frozen=True, eq=False)
class Work:
    """One piece of work.

    Attributes:
        model: whose units or weights; never changed.
        groups: its units.
        pictures: what the method looks at, or None.
        parameters: a valid value for every declared parameter.
        seed: of whatever is drawn.
        passes: counted passes.
        chunks: how many samples go through at once.
        progress: of methods that run no passes, in steps of their own.
        skipped: pictures that cannot be read: number, reason.
    """

    model: LoadedModel
    groups: Groups
    pictures: Pictures | None
    parameters: Mapping[str, Value]
    seed: int
    passes: Passes
    chunks: Chunks
    progress: Progress | None = None
    skipped: dict[int, str] = field(default_factory=dict)

    def number(self, name: str) -> float:
        """Return a parameter that is a number."""
        return float(self.parameters[name])

    def batches(self) -> Iterator[Batch]:
        """Yield the pictures, as many at a time as go through at once.

        Raises:
            InputError: there are none, or none can be read.
            Cancelled: the caller asked to stop.
        """
        pictures = self.shown
        seen = start = 0
        while start < len(pictures):
            self.passes.check()
            stop = min(len(pictures), start + self.chunks.size)
            batch = self._read(pictures, range(start, stop))
            start = stop
            if batch is not None:
                seen += len(batch.x)
                yield batch
        if not seen:
            raise InputError(f"{pictures.name}: no picture could be read; {self.skipped[0]}")

    @property
    def shown(self) -> Pictures:
        """The pictures.

        Raises:
            InputError: there are none.
        """
        if self.pictures is None or not len(self.pictures):
            raise InputError("no pictures to look at: name an image set")
        return self.pictures

    def _read(self, pictures: Pictures, numbers: range) -> Batch | None:
        prepared: dict[int, torch.Tensor] = {}
        for number in numbers:
            try:
                prepared[number] = pictures.prepared(number)
            except InputError as error:
                self.skipped[number] = str(error)
        if not prepared:
            return None
        labels = torch.from_numpy(pictures.labels[list(prepared)].astype(np.int64))
        return Batch(torch.cat([*prepared.values()]), labels, tuple(prepared))


class PruningMethod(ABC):
    """One method. Adding one is one file in ``posthoc`` or ``trained``, and a test.

    Attributes:
        name: identifier ("merging").
        title: what people call it.
        summary: one line on what it does.
        paper: key in the bibliography.
        caveat: what to keep in mind, and what we had to define.
        parameters: as declared.
        trains: whether something is learned, and so depends on the seed.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    paper: ClassVar[str]
    caveat: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    trains: ClassVar[bool] = False

    def refusal(self, model: LoadedModel, groups: Groups) -> str:
        """Say why it does not suit a model, or nothing if it does."""
        return ""

    def check_suits(self, model: LoadedModel, groups: Groups) -> None:
        """Raise ``MethodError`` if a model cannot be pruned so."""
        title = model.card.title
        if not model.differentiable:
            raise MethodError(f"{title} is no network: it has neither units nor weights")
        reason = self.refusal(model, groups)
        if reason:
            raise MethodError(f"{self.title} does not suit {title}: {reason}")

    def looks(self, parameters: Mapping[str, Value]) -> bool:
        """Whether it looks at pictures, with these parameters."""
        return True

    def cost(self, pictures: int, parameters: Mapping[str, Value]) -> Cost:
        """Return an upper bound of the passes over a number of pictures."""
        return Cost()

    @abstractmethod
    def compute(self, work: Work) -> Outcome:
        """Do it.

        Raises:
            Cancelled: the caller asked to stop; the model is as it was.
            InputError: pictures are needed and there are none that can be read.
            OutOfMemory: one sample at a time does not fit.
        """
