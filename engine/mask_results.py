"""What hiding parts of an input does: numpy only, ready to draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.results import Result


@dataclass(frozen=True, eq=False)
class MaskPreview(Result):
    """Some masks of one generator, and what a model says of one picture under each.

    Attributes:
        keep: bool ``(n, rows, columns)`` on the generator's grid; True = stays.
        logits: float32 ``(1 + n, classes)``: of the picture as it is, then under each mask.
        probabilities: float32 ``(1 + n, classes)``.
        masked: float32 ``(n, channels, height, width)``, what the network was given, as colours
            in [0, 1] (other tensors: as prepared); None where the fill hides inside the network.

    ``display`` tells classes, the size of what the network saw, and the share that is hidden.
    """

    kind: ClassVar[str] = "mask-preview"
    arrays: ClassVar[tuple[str, ...]] = ("keep", "logits", "probabilities", "masked")

    keep: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
    masked: np.ndarray | None = None

    @property
    def hidden(self) -> np.ndarray:
        """Share of the cells that each mask hides, float64 ``(n,)``."""
        return np.asarray(1 - self.keep.mean(axis=(1, 2)))

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the model's classes."""
        return tuple(self.manifest["display"]["classes"])


@dataclass(frozen=True, eq=False)
class MaskSweep(Result):
    """A saliency map as a mask: ever more of the picture removed, or kept, from the top on.

    Attributes:
        share: float32 ``(levels,)``, part of the picture that is removed, or kept, 0 … 1.
        order: int32 ``(rows, columns)``, place of each pixel in the map's order, 0 first.
        removed: float32 ``(levels, classes)``, logits with the top share removed.
        kept: float32 ``(levels, classes)``, logits with nothing but the top share.
        removed_probabilities, kept_probabilities: float32, same shapes.
    """

    kind: ClassVar[str] = "mask-sweep"
    arrays: ClassVar[tuple[str, ...]] = (
        "share",
        "order",
        "removed",
        "kept",
        "removed_probabilities",
        "kept_probabilities",
    )

    share: np.ndarray
    order: np.ndarray
    removed: np.ndarray
    kept: np.ndarray
    removed_probabilities: np.ndarray
    kept_probabilities: np.ndarray

    def keep(self, share: float, *, remove: bool) -> np.ndarray:
        """Return the mask of one share, bool ``(rows, columns)``; True = stays."""
        top = self.order < round(share * self.order.size)
        return ~top if remove else top
