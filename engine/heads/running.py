"""All that judging heads needs, and the way through the pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from engine.attention.site import AttentionSite, AttentionSites
from engine.errors import InputError
from engine.execution.chunks import Chunks
from engine.execution.passes import Passes
from engine.heads.ablation import Place, all_heads
from engine.heads.pictures import Pictures
from engine.heads.said import Said
from engine.models.image_labels import NONE
from engine.models.loaded import LoadedModel
from engine.parameters import Value

# One number for each picture and head, float64, by the metric's name.
Rows = dict[str, np.ndarray]


@dataclass(frozen=True)
class Batch:
    """Some pictures, prepared.

    Attributes:
        x: ``(n, …)``.
        labels: int64 ``(n,)``, -1 where there is none.
        numbers: of the pictures among all.
    """

    x: torch.Tensor
    labels: torch.Tensor
    numbers: tuple[int, ...]


@dataclass
class Run:
    """One piece of work.

    Attributes:
        model: whose heads.
        found: its attention.
        pictures: what they are judged on.
        target: the class that all pictures are asked about, or None: each about its own.
        only: pictures of this class alone, or None: all.
        keep_one: judge a head by what it does as the only one of its layer.
        parameters: a valid value for every declared parameter.
        seed: for whatever is drawn.
        passes: counted passes.
        chunks: how many samples go through at once.
        places: the heads that are asked about, or None: all.
        show: called with the rows so far, or None.
        skipped: pictures that cannot be read: number, reason.
        blocks: samples sent through blocks, by how much of the block was run.
        labelled: pictures that were used, by whether they have a label.
    """

    model: LoadedModel
    found: AttentionSites
    pictures: Pictures
    target: int | None
    only: int | None
    keep_one: bool
    parameters: Mapping[str, Value]
    seed: int
    passes: Passes
    chunks: Chunks
    places: Sequence[Place] | None = None
    show: Callable[[Rows], None] | None = None
    skipped: dict[int, str] = field(default_factory=dict)
    blocks: Counter[str] = field(default_factory=Counter)
    labelled: Counter[bool] = field(default_factory=Counter)

    @property
    def sites(self) -> tuple[AttentionSite, ...]:
        """The attention of each layer."""
        return self.found.sites

    @property
    def heads(self) -> list[Place]:
        """Layer and head of all heads."""
        return all_heads(self.sites)

    def classes(self, batch: Batch, said: Said) -> torch.Tensor:
        """Return the class that each picture is asked about, int64 ``(n,)``."""
        if self.target is not None:
            return torch.full_like(batch.labels, self.target)
        return _own(batch, said)

    def used(self, batch: Batch, said: Said) -> np.ndarray:
        """Return which pictures of a batch are of the class asked for, bool ``(n,)``."""
        own = _own(batch, said)
        wanted = torch.ones_like(own, dtype=torch.bool) if self.only is None else own == self.only
        self.labelled.update((batch.labels[wanted] != NONE).tolist())
        return np.asarray(wanted.numpy())

    def collect(self, widest: int, work: Callable[[Batch, int], Rows]) -> Rows:
        """Go through the pictures, and put what was found of them together.

        Args:
            widest: how many samples one picture is worth at once; as many pictures are taken
                at a time as fit.
            work: gets a batch and how many samples go through at once; returns, for each
                picture that is used, ``(used, …)``.

        Raises:
            InputError: no picture could be read, or none is of the class asked for.
            Cancelled: the caller asked to stop.
            OutOfMemory: one sample at a time does not fit.
        """
        parts: list[Rows] = []
        start = 0
        while start < len(self.pictures):
            self.passes.check()
            done, rows = self.chunks.whole(
                self.passes,
                lambda size: self._some(start, size, widest, work),  # noqa: B023
            )
            start += done
            parts += [rows] if rows is not None else []
            if self.show is not None and parts and _worth_showing(start, done, len(self.pictures)):
                self.show(_joined(parts))
        if not _count(parts):
            raise InputError(self._nothing())
        return _joined(parts)

    def _some(
        self, start: int, size: int, widest: int, work: Callable[[Batch, int], Rows]
    ) -> tuple[int, Rows | None]:
        stop = min(len(self.pictures), start + max(1, size // widest))
        prepared: dict[int, torch.Tensor] = {}
        for number in range(start, stop):
            try:
                prepared[number] = self.pictures.prepared(number)
            except InputError as error:
                self.skipped[number] = str(error)
        if not prepared:
            return stop - start, None
        numbers = tuple(prepared)
        labels = torch.from_numpy(self.pictures.labels[list(numbers)].astype(np.int64))
        labelled, blocks = Counter(self.labelled), Counter(self.blocks)
        try:
            return stop - start, work(Batch(torch.cat([*prepared.values()]), labels, numbers), size)
        except BaseException:
            self.labelled, self.blocks = labelled, blocks
            raise

    def _nothing(self) -> str:
        if len(self.skipped) == len(self.pictures):
            return f"{self.pictures.name}: no picture could be read; {self.skipped[0]}"
        assert self.only is not None
        return f"{self.pictures.name}: no picture of class {self.model.classes[self.only]!r}"


def _own(batch: Batch, said: Said) -> torch.Tensor:
    """Return the true class of each picture; the predicted one where there is none."""
    return torch.where(batch.labels == NONE, said.predicted, batch.labels)


def _worth_showing(done: int, last: int, count: int) -> bool:
    """Whether an eighth, a quarter or half of the pictures were passed just now."""
    marks = (count / 8, count / 4, count / 2)
    return done < count and any(done - last < mark <= done for mark in marks)


def _joined(parts: Sequence[Rows]) -> Rows:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _count(parts: Sequence[Rows]) -> int:
    return sum(len(next(iter(part.values()))) for part in parts)
