"""What interactions are measured in: features of a model, and its loss when they are moved."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
import torch

from engine.execution.chunks import Chunks
from engine.execution.draws import generator
from engine.models.losses import losses_of
from engine.models.outputs import Activation

Subset = tuple[int, ...]


class World(ABC):
    """A reference model over some data, as seen by search and effects.

    A masked model f_m(x) = f(m ⊙ x) is told by its m, float64 ``(features,)``; 1 is the
    reference.

    Attributes:
        maskable: bool ``(features,)``; the others keep m = 1.
        ahead: steps of a slow search that are asked in one batch; of little use where a single
            masked model fills a batch.
        chunks: how many samples go through at once.
        usual: masked models that the search for one direction asks as a rule, five rates: seen on
            networks of our own.
        remembers: whether a loss that was asked once is known from then on.
    """

    maskable: np.ndarray
    chunks: Chunks
    ahead = 10
    usual = 130
    remembers = False

    @property
    def hides(self) -> bool:
        """Whether moving a feature hides it: its own m does not matter any more."""
        return False

    @property
    def features(self) -> int:
        """How many features there are."""
        return len(self.maskable)

    @abstractmethod
    def losses(self, masks: np.ndarray) -> np.ndarray:
        """Return the loss of masked models ``(k, features)``: float64 ``(k,)``.

        It is infinite where the network returns NaN or infinity, here and in ``moved``.
        """

    @abstractmethod
    def moved(
        self, masks: np.ndarray, subsets: Sequence[Subset], *, exact: bool
    ) -> list[np.ndarray]:
        """Return losses with the features of each subset permuted together.

        Args:
            masks: ``(k, features)``.
            subsets: of features.
            exact: average over all values exactly instead of drawing permutations.

        Returns:
            For each subset float64 ``(k, draws)``, one draw where it is exact. The draws are the
            same for all models and all subsets.
        """

    @abstractmethod
    def exact(self, subsets: Sequence[Subset]) -> bool:
        """Whether the exact average of all these costs no more than drawing."""

    @abstractmethod
    def cost_of(self, subset: Subset, *, exact: bool) -> int:
        """Return how many samples go through the model for one masked model."""

    @property
    @abstractmethod
    def cost_of_loss(self) -> int:
        """How many samples go through the model for the loss of one masked model."""


def losses_or_infinite(
    logits: torch.Tensor, truth: np.ndarray, activation: Activation
) -> np.ndarray:
    """Return what ``losses_of`` does; infinity where the network returned what is not finite."""
    losses = losses_of(logits, truth, activation)
    finite = logits.isfinite().all(dim=-1).numpy()
    return losses if finite.all() else np.where(finite, losses, np.inf)


def permutations(count: int, repeats: int, seed: int) -> np.ndarray:
    """Return the bank of permutations that all models share, int64 ``(repeats, count)``."""
    return np.stack([generator(seed, draw).permutation(count) for draw in range(repeats)])
