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


class _OfFills(Result):
    """What is found out about fills on a set of pictures."""

    @property
    def fills(self) -> tuple[str, ...]:
        """Names of the fills."""
        return tuple(self.manifest["display"]["fills"])

    @property
    def titles(self) -> tuple[str, ...]:
        """What people call the fills."""
        return tuple(self.manifest["display"]["fill_titles"])


@dataclass(frozen=True, eq=False)
class MissingnessStudy(_OfFills):
    """What becomes of a model's answers over a set when ever more of each picture is hidden.

    Attributes:
        shares: float32 ``(shares,)``, part that was to be hidden, 0 … 1.
        hidden: float32 ``(shares,)``, part that was hidden, the mean over pictures.
        predicted: int32 ``(fills, shares, n)``, the answer to each masked picture.
        probability: float32, same shape: what is left to the class that was named first.
        whole: int32 ``(n,)``, the answer to the whole picture.
        labels: int32 ``(n,)``, the true class, −1 where there is none.
        accuracy: float32 ``(fills, shares)``, share of right answers among labelled pictures,
            NaN without any.
        entropy: float32 ``(fills, shares)``, of the histogram of answers, in bits.
        unchanged: float32 ``(fills, shares)``, share of answers that are as for the whole
            picture.
        accuracy_error, unchanged_error: standard errors over pictures, same shape.
        accuracy_interval, entropy_interval, unchanged_interval: float32 ``(fills, shares, 2)``,
            95 %: shares by Wilson, the entropy by resampling pictures.

    ``display`` tells ``fills``, ``fill_titles`` and ``classes``; ``source`` the names of the
    ``pictures``; ``outcome`` those that could not be read (``skipped``).
    """

    kind: ClassVar[str] = "missingness-study"
    arrays: ClassVar[tuple[str, ...]] = (
        "shares", "hidden", "predicted", "probability", "whole", "labels",
        "accuracy", "accuracy_error", "accuracy_interval",
        "entropy", "entropy_interval",
        "unchanged", "unchanged_error", "unchanged_interval",
    )  # fmt: skip

    shares: np.ndarray
    hidden: np.ndarray
    predicted: np.ndarray
    probability: np.ndarray
    whole: np.ndarray
    labels: np.ndarray
    accuracy: np.ndarray
    accuracy_error: np.ndarray
    accuracy_interval: np.ndarray
    entropy: np.ndarray
    entropy_interval: np.ndarray
    unchanged: np.ndarray
    unchanged_error: np.ndarray
    unchanged_interval: np.ndarray

    @property
    def count(self) -> int:
        """How many pictures were asked about."""
        return len(self.whole)

    @property
    def labelled(self) -> int:
        """How many of them have a label that the model knows."""
        return int((self.labels >= 0).sum())

    def level(self, share: float) -> int:
        """Return the place of the share nearest to one asked for."""
        return int(np.abs(self.shares - share).argmin())


@dataclass(frozen=True, eq=False)
class ShapeLeak(_OfFills):
    """Whether the outline of what is hidden tells what was there.

    The object of each picture is hidden by its true mask; then, for comparison, the same shape
    moved by half the height and half the width. Where the answers stay right with the object
    gone, its outline was enough.

    Attributes:
        predicted: int32 ``(fills, 2, n)``, answers with the object hidden, and with the shape
            hidden elsewhere.
        labels: int32 ``(n,)``, of pictures whose class was named right with nothing hidden.
        area: float32 ``(n,)``, share of the picture that the object covers.

    ``outcome`` tells how many pictures were left out: without a mask, or wrong at first.
    """

    kind: ClassVar[str] = "shape-leak"
    arrays: ClassVar[tuple[str, ...]] = ("predicted", "labels", "area")

    predicted: np.ndarray
    labels: np.ndarray
    area: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """Which answers are right, bool ``(fills, 2, n)``."""
        return np.asarray(self.predicted == self.labels)


@dataclass(frozen=True, eq=False)
class Linearity(_OfFills):
    """Whether what patches say alone adds up to what they say together.

    With f the logits less those of a picture that is hidden entirely: the sum of f over four
    patches, each kept alone, against f of all four kept.

    Attributes:
        cosine: float32 ``(fills, n)``, −1 … 1 (all the same direction).
        distance: float32 ``(fills, n)``: length of the difference over that of f of all four.
    """

    kind: ClassVar[str] = "linearity"
    arrays: ClassVar[tuple[str, ...]] = ("cosine", "distance")

    cosine: np.ndarray
    distance: np.ndarray


@dataclass(frozen=True, eq=False)
class LimeByFill(_OfFills):
    """How well LIME finds an object whose mask is known, with each fill.

    Attributes:
        cosine: float32 ``(fills, n)``, of the weights with what each segment holds of the
            object, less the mean: Σ (truth − mean truth) over its pixels.
        overlap: float32 ``(fills, n)``, Jaccard index of the 20 segments with the largest
            weights and the 20 that hold the most of the object.
        predicted: int32 ``(fills, n)``, the answer with the first 20 removed.
        whole: int32 ``(n,)``, the answer to the whole picture.
        labels: int32 ``(n,)``, −1 where there is none.
    """

    kind: ClassVar[str] = "lime-by-fill"
    arrays: ClassVar[tuple[str, ...]] = ("cosine", "overlap", "predicted", "whole", "labels")

    cosine: np.ndarray
    overlap: np.ndarray
    predicted: np.ndarray
    whole: np.ndarray
    labels: np.ndarray
