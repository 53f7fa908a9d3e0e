"""Pictures and a model for them: regions are features, m multiplies them towards the mean colour.

A prepared picture is 0 where it has the mean colour, so that m ⊙ x fades a region at m = 0 and
raises its contrast above 1. Regions of several pictures change places between them, which is
permuting. A single picture has nothing to change places with: there a region gives way to the mean
colour instead (our definition).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from engine.execution.chunks import Chunks
from engine.execution.passes import Passes
from engine.interactions.world import Subset, World, losses_or_infinite


class PictureWorld(World):
    """Losses of masked models on pictures that are divided in the same way.

    Args:
        passes, chunks: the model, counted, and how many pictures go through at once.
        x: ``(n, channels, height, width)``, prepared.
        truth: int64 ``(n,)``, index of each picture's class.
        regions: int64 ``(height, width)``, the region of each pixel, from 0 without gaps.
        bank: permutations of the pictures, ``(repeats, n)``.
    """

    ahead = 1
    usual = 450
    remembers = True

    def __init__(
        self,
        passes: Passes,
        chunks: Chunks,
        x: torch.Tensor,
        truth: np.ndarray,
        regions: torch.Tensor,
        bank: np.ndarray,
    ) -> None:
        self.passes = passes
        self.chunks = chunks
        self.x = x
        self.truth = truth
        self.regions = regions.to(x.device)
        self.bank = bank
        self.maskable = np.ones(int(regions.max()) + 1, bool)
        self._known: dict[bytes, float] = {}

    def losses(self, masks: np.ndarray) -> np.ndarray:
        """As in ``World``; what was asked once is known from then on."""
        keys = [mask.tobytes() for mask in np.asarray(masks, np.float64)]
        new = {key: at for at, key in enumerate(keys) if key not in self._known}
        if new:
            every = np.arange(len(self.x))
            found = self._each(masks[list(new.values())], every, every, ()).mean(axis=1)
            self._known.update(zip(new, found.tolist(), strict=True))
        return np.array([self._known[key] for key in keys])

    def moved(
        self, masks: np.ndarray, subsets: Sequence[Subset], *, exact: bool
    ) -> list[np.ndarray]:
        """As in ``World``; of a single picture, what hiding comes to."""
        return [self._moved(masks, subset, exact=exact) for subset in subsets]

    def exact(self, subsets: Sequence[Subset]) -> bool:
        """As in ``World``."""
        return len(self.x) <= len(self.bank)

    def cost_of(self, subset: Subset, *, exact: bool) -> int:
        """As in ``World``."""
        count = len(self.x)
        return count * min(count, len(self.bank))

    @property
    def hides(self) -> bool:
        """As in ``World``: of a single picture."""
        return len(self.x) == 1

    @property
    def cost_of_loss(self) -> int:
        """As in ``World``."""
        return len(self.x)

    def _moved(self, masks: np.ndarray, subset: Subset, *, exact: bool) -> np.ndarray:
        count = len(self.x)
        if count == 1:
            hidden = masks.copy()
            hidden[:, subset] = 0
            return self.losses(hidden)[:, None]
        every = np.arange(count)
        sources = np.stack([np.roll(every, by) for by in every]) if exact else self.bank
        own = np.broadcast_to(every, sources.shape)
        found = self._each(masks, own.ravel(), sources.ravel(), subset)
        means = found.reshape(len(masks), *sources.shape).mean(axis=2)  # (models, draws)
        return np.asarray(means.mean(axis=1, keepdims=True)) if exact else means

    def _each(
        self, masks: np.ndarray, own: np.ndarray, other: np.ndarray, subset: Subset
    ) -> np.ndarray:
        """Return the loss of pictures with some regions of others, float64 ``(models, s)``.

        Args:
            masks: ``(models, features)``.
            own: places of the pictures, ``(s,)``; their truth counts.
            other: where the regions of the subset come from, ``(s,)``.
            subset: of regions.
        """
        inside = torch.isin(self.regions, torch.tensor(subset, device=self.x.device))
        m = torch.from_numpy(masks).to(self.x)

        def some(start: int, stop: int) -> np.ndarray:
            job = np.arange(start, stop)
            model, sample = job // len(own), job % len(own)
            pictures = self.x[own[sample]]
            if subset:
                pictures = torch.where(inside, self.x[other[sample]], pictures)
            batch = pictures * m[model][:, self.regions][:, None]
            with torch.inference_mode():
                logits = self.passes.forward(batch).cpu()
            truth = self.truth[own[sample]]
            return losses_or_infinite(logits, truth, self.passes.model.activation)

        parts = self.chunks.over(len(masks) * len(own), self.passes, some)
        return np.concatenate(parts).reshape(len(masks), len(own))
