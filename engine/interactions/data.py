"""What interactions are looked for in: a model with the data that judges it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from engine.execution.chunks import Chunks
from engine.execution.passes import Passes
from engine.interactions.world import World
from engine.models.loaded import LoadedModel


class Data(ABC):
    """Features by name, and samples with their truth.

    Attributes:
        model: the reference model.
        notes: what a person should know before reading the numbers.
    """

    model: LoadedModel
    notes: tuple[str, ...]

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Names of the features."""

    @property
    @abstractmethod
    def titles(self) -> tuple[str, ...]:
        """What people call the features."""

    @property
    @abstractmethod
    def count(self) -> int:
        """How many samples judge the model."""

    @property
    @abstractmethod
    def chunk(self) -> int:
        """How many samples go through at once."""

    @property
    def regions(self) -> np.ndarray | None:
        """Of a picture: the feature of each pixel, int32 ``(rows, columns)``."""
        return None

    @abstractmethod
    def exactly(self, model: LoadedModel) -> LoadedModel:
        """Return the model as losses are asked of it: in double precision, where it can be."""

    @abstractmethod
    def quickly(self, model: LoadedModel) -> LoadedModel:
        """Return the model as thousands of permutations are asked of it."""

    @abstractmethod
    def world(self, passes: Passes, chunks: Chunks, bank: np.ndarray) -> World:
        """Return the model over the samples."""

    def bare(self, repeats: int) -> World:
        """Return the world before anything is permuted in it, to tell what it will cost.

        Its bank leaves all samples where they are, and takes no memory.
        """
        bank = np.broadcast_to(np.arange(self.count), (repeats, self.count))
        model = self.quickly(self.model)
        return self.world(Passes(model, finite=False), Chunks(self.chunk), bank)

    @abstractmethod
    def find(self, name: str | int) -> int:
        """Return the index of a feature by its name or number.

        Raises:
            InputError: there is none.
        """

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """Return what of the data decides the numbers."""

    @abstractmethod
    def source(self) -> dict[str, Any]:
        """Return names a person would know; they decide nothing."""
