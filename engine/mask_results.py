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
        keep: bool ``(n, rows, columns)`` on the generator's grid; True = stays. Of a table the
            grid is one row of columns.
        logits: float32 ``(1 + n, classes)``: of the picture as it is, then under each mask.
        probabilities: float32 ``(1 + n, classes)``.
        masked: float32 ``(n, channels, height, width)``, what the network was given, as colours
            in [0, 1] (rows and other tensors: as prepared, ``(n, …)``); None where the fill
            hides inside the network.
        guide: what guided the generator, on the grid: float64 ``(rows, columns)`` or
            ``(heads, rows, columns)`` of scores, int64 regions, or a drawing as bool; or None.

    ``display`` tells the classes, height and width of what the network saw (None of a row), the
    titles of a table's columns, the share that each mask hides, and whether the generator hides
    exactly as much as was asked for.
    """

    kind: ClassVar[str] = "mask-preview"
    arrays: ClassVar[tuple[str, ...]] = ("keep", "logits", "probabilities", "masked", "guide")

    keep: np.ndarray
    logits: np.ndarray
    probabilities: np.ndarray
    masked: np.ndarray | None = None
    guide: np.ndarray | None = None

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
        share: float32 ``(levels + 1,)``, part of the picture that is removed, or kept, 0 … 1.
        order: int32 ``(rows, columns)``, place of each pixel in the map's order, 0 first; of a
            table ``(1, columns)``.
        removed: float32 ``(levels + 1, classes)``, logits with the top share removed; None where
            only the other direction was asked for.
        kept: float32 ``(levels + 1, classes)``, logits with nothing but the top share; or None.
        removed_probabilities, kept_probabilities: float32, same shapes; or None.
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
    removed: np.ndarray | None = None
    kept: np.ndarray | None = None
    removed_probabilities: np.ndarray | None = None
    kept_probabilities: np.ndarray | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the model's classes."""
        return tuple(self.manifest["display"]["classes"])

    def keep(self, share: float, *, remove: bool) -> np.ndarray:
        """Return the mask of one share, bool ``(rows, columns)``; True = stays."""
        top = self.order < round(share * self.order.size)
        return ~top if remove else top
