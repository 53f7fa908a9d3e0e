"""What is found out about attention heads: numpy only, ready to draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.results import Result

NONE = -1
Place = tuple[float, float]


@dataclass(frozen=True, eq=False)
class HeadScores(Result):
    """How much each head matters, by one metric.

    Attributes:
        values: float32 ``(layers, heads)``, NaN where a layer has fewer heads than the most, and
            where a head was not asked about; larger says more important. Unit: the metric's,
            told in the manifest's ``display``.
        error: standard error over images (of a single image over draws), same shape, or None. In
            the file it is there in any case, all NaN for None.
        cheap: what the gradient says of all heads, same shape, where only those that it put
            first were switched off; else None.
    """

    kind: ClassVar[str] = "head-scores"
    arrays: ClassVar[tuple[str, ...]] = ("values", "error", "cheap")

    values: np.ndarray
    error: np.ndarray | None = None
    cheap: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.error is not None and np.isnan(self.error).all():
            object.__setattr__(self, "error", None)
        super().__post_init__()

    def stored(self, name: str) -> np.ndarray | None:
        """Return an array as it stands in the file."""
        if name == "error" and self.error is None:
            return np.full_like(self.values, np.nan)
        return super().stored(name)

    @property
    def heads(self) -> tuple[int, ...]:
        """Number of heads of each layer."""
        known = self.values if self.cheap is None else self.cheap
        return tuple(int(count) for count in np.isfinite(known).sum(axis=1))

    @property
    def ranking(self) -> list[tuple[int, int]]:
        """Layer and head of all heads, the most important first; equal ones in their order.

        Heads of which only the gradient is known follow those that were switched off, in the
        gradient's order.
        """
        exact = _ordered(self.values)
        rest = [] if self.cheap is None else _ordered(self.cheap)
        return exact + [place for place in rest if place not in set(exact)]


def _ordered(values: np.ndarray) -> list[tuple[int, int]]:
    flat = values.ravel()
    places = np.flatnonzero(np.isfinite(flat))
    order = places[np.argsort(-flat[places], kind="stable")]
    width = values.shape[1]
    return [(int(place) // width, int(place) % width) for place in order]


@dataclass(frozen=True, eq=False)
class PruningCurve(Result):
    """How well a model does with ever more heads off.

    Attributes:
        off: int32 ``(steps,)``, how many heads are off.
        accuracy: float32 ``(orders, steps)``, share of right answers, 0 to 1.
        accuracy_error: standard error over images, same shape.
        loss: float32 ``(orders, steps)``, cross-entropy in nats.
        loss_error: standard error over images, same shape.

    ``display["orders"]`` has the names of the orders: "least important first", "most important
    first", "random" (the mean of several).
    """

    kind: ClassVar[str] = "pruning-curve"
    arrays: ClassVar[tuple[str, ...]] = ("off", "accuracy", "accuracy_error", "loss", "loss_error")

    off: np.ndarray
    accuracy: np.ndarray
    accuracy_error: np.ndarray
    loss: np.ndarray
    loss_error: np.ndarray

    @property
    def orders(self) -> tuple[str, ...]:
        """Names of the orders in which heads were switched off."""
        return tuple(self.manifest["display"]["orders"])


@dataclass(frozen=True, eq=False)
class HeadMaps:
    """What all heads attend to in one image.

    Attributes:
        maps: of each layer float32 ``(windows, heads, slots, slots)``; rows sum to 1.
        layouts: of each layer int ``(windows, slots)``, the token in each slot; −1 is padding.
        grids: rows and columns of each layer's patches.
        prefix, suffix: tokens before and after the patches, of each layer.
        names: of the layers' blocks.
        class_tokens: number of the class token in each layer, −1 (or nothing) without one; of
            several the one that is read, else the first.
    """

    maps: tuple[np.ndarray, ...]
    layouts: tuple[np.ndarray, ...]
    grids: tuple[tuple[int, int], ...]
    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    names: tuple[str, ...]
    class_tokens: tuple[int, ...] = ()

    @property
    def heads(self) -> tuple[int, ...]:
        """Number of heads of each layer."""
        return tuple(maps.shape[1] for maps in self.maps)

    def class_token(self, layer: int) -> int:
        """Return the number of a layer's class token, −1 without one."""
        return self.class_tokens[layer] if self.class_tokens else NONE

    def patch_at(self, layer: int, place: Place) -> tuple[int, int]:
        """Return row and column of a layer's patch at a place of the picture."""
        row, column = (
            min(int(share * count), count - 1)
            for share, count in zip(place, self.grids[layer], strict=True)
        )
        return row, column

    def seen(self, layer: int, head: int, place: Place | None = None) -> np.ndarray:
        """Return what is attended to from a place of the picture, float32 ``(rows, columns)``.

        Args:
            layer, head: of the attention.
            place: shares of height and width, 0 … 1, whose patch asks; None: the class token,
                or the mean of all patches where there is none.
        """
        if place is not None:
            row, column = self.patch_at(layer, place)
            token = self.prefix[layer] + row * self.grids[layer][1] + column
            return self.on_grid(layer, head, token)
        token = self.class_token(layer)
        return self._mean(layer, head) if token < 0 else self.on_grid(layer, head, token)

    def _mean(self, layer: int, head: int) -> np.ndarray:
        """Return what patches attend to on average, float32 ``(rows, columns)``."""
        rows, columns = self.grids[layer]
        layout = self.layouts[layer] - self.prefix[layer]  # (windows, slots)
        patches = (layout >= 0) & (layout < rows * columns)
        given = np.einsum("wqk,wq->wk", self.maps[layer][:, head], patches, dtype=np.float64)
        found = np.bincount(layout[patches], given[patches], rows * columns)
        return (found.reshape(rows, columns) / (rows * columns)).astype(np.float32)

    def row(self, layer: int, head: int, token: int) -> np.ndarray:
        """Return what one token attends to, float32 ``(tokens,)``, 0 outside its window.

        Args:
            layer, head: of the attention.
            token: number of the asking token: the prefix first, then the patches row by row.
        """
        layout = self.layouts[layer]
        found = np.zeros(int(layout.max()) + 1, dtype=np.float32)
        window, slot = (int(place[0]) for place in np.nonzero(layout == token))
        inside = layout[window] >= 0
        weights = self.maps[layer][window, head, slot]
        np.add.at(found, layout[window][inside], weights[inside])
        return found

    def on_grid(self, layer: int, head: int, token: int) -> np.ndarray:
        """Return what one token gives to each patch, float32 ``(rows, columns)``."""
        row = self.row(layer, head, token)
        rows, columns = self.grids[layer]
        start = self.prefix[layer]
        return row[start : start + rows * columns].reshape(rows, columns)


BLOCKS = ("class to class", "class to patches", "patches to class", "patches to patches")
MEASURES = (
    "class-to-class",
    "class-to-patches",
    "patches-to-class",
    "distance",
    "entropy",
    "entropy-share",
    "needed",
    "needed-share",
)
# Ends of the classes by the share of tokens that hold 90 % of the attention.
NEEDED_ENDS = (1 / 2, 1 / 8, 1 / 32)


def mean_of_heads(values: np.ndarray) -> np.ndarray:
    """Return the mean over the heads that a layer has.

    Args:
        values: ``(layers, heads, …)``, NaN where there is nothing.

    Returns:
        float64 ``(layers, …)``; NaN where a layer has none.
    """
    there = np.isfinite(values)
    sums = np.where(there, values, 0).sum(axis=1, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray(sums / there.sum(axis=1))


class _Frozen(Result):
    """A result whose arrays cannot be written to."""


@dataclass(frozen=True, eq=False)
class HeadStrength(_Frozen):
    """How strongly heads attend to how far, the mean over pictures; NaN where there is nothing.

    Attributes:
        profile: float32 ``(layers, heads, hops)``: what a patch gives to all patches at Chebyshev
            distance 0, 1, 2 … on the layer's own grid.
        cells: float32 ``(layers, hops)``: how many patches a patch can attend to at that distance
            (within its window), on average.
        measures: float32 ``(layers, heads, 8)``, in the order of ``MEASURES``: shares of the
            attention that the class token gives to itself and to patches, and that patches give to
            it; mean distance in pixels of the prepared picture; entropy in nats, and as a share of
            the largest possible; how many tokens hold 90 % of a query's attention (the median),
            and which share of all that it can attend to.
        profile_error, measures_error: standard errors over pictures, or None of a single one.
        trends_error: float32 ``(layers, 8)``, the same of the mean over a layer's heads, whose
            errors go together; or None.

    The manifest's ``display`` has, of each layer, ``layers`` (names), ``grids``, ``windows`` and
    ``heads``.
    """

    kind: ClassVar[str] = "head-strength"
    arrays: ClassVar[tuple[str, ...]] = (
        "profile", "cells", "measures", "profile_error", "measures_error", "trends_error",
    )  # fmt: skip

    profile: np.ndarray
    cells: np.ndarray
    measures: np.ndarray
    profile_error: np.ndarray | None = None
    measures_error: np.ndarray | None = None
    trends_error: np.ndarray | None = None

    @property
    def heads(self) -> tuple[int, ...]:
        """Number of heads of each layer."""
        return tuple(self.manifest["display"]["heads"])

    def per_cell(self) -> np.ndarray:
        """Return what a patch gives to a single patch at each distance, shape of ``profile``."""
        return np.asarray(self.profile / self.cells[:, None])

    def measure(self, name: str) -> np.ndarray:
        """Return one of ``MEASURES``, float32 ``(layers, heads)``."""
        return self.measures[..., MEASURES.index(name)]

    def error_of(self, name: str) -> np.ndarray | None:
        """Return its standard error, same shape, or None."""
        found = self.measures_error
        return None if found is None else found[..., MEASURES.index(name)]

    def trend(self, name: str) -> np.ndarray:
        """Return the mean of a measure over the heads of each layer, float64 ``(layers,)``."""
        return mean_of_heads(self.measure(name))

    def trend_error(self, name: str) -> np.ndarray | None:
        """Return its standard error over pictures, float32 ``(layers,)``, or None."""
        found = self.trends_error
        return None if found is None else found[..., MEASURES.index(name)]

    def needed_class(self) -> np.ndarray:
        """Say how many tokens each head needs for 90 % of its attention (ramsauer2021hopfield).

        Returns:
            int8 ``(layers, heads)``: 0 more than half of all, 1 more than an eighth, 2 more than
            1/32, 3 less; −1 where there is no head.
        """
        share = self.measure("needed-share")
        found = sum((share <= end).astype(np.int8) for end in NEEDED_ENDS)
        return np.where(np.isfinite(share), found, NONE).astype(np.int8)


@dataclass(frozen=True, eq=False)
class PartialPruning(_Frozen):
    """What becomes of the target when a part of one head's attention is put to zero.

    Attributes:
        blocks: float32 ``(4, 2, 2)``: by block (``BLOCKS``), way (rows left as they are; made
            to sum to 1 again) and output (logit, probability): the output after minus before.
            NaN for blocks of a class token where there is none.
        whole: float32 ``(2,)``: the same with the whole head off.
        plain: float32 ``(2,)``: the outputs before.
        blocks_error, whole_error, plain_error: of a set, whose means the others are, their
            standard errors over pictures; None of a single picture.

    "Class" stands for class and register tokens alike. The manifest's ``request`` has ``layer``
    and ``head``, and ``target`` with ``index`` and ``name``, or None where each picture of a set
    was followed in its own class.
    """

    kind: ClassVar[str] = "partial-pruning"
    arrays: ClassVar[tuple[str, ...]] = (
        "blocks", "whole", "plain", "blocks_error", "whole_error", "plain_error",
    )  # fmt: skip

    blocks: np.ndarray
    whole: np.ndarray
    plain: np.ndarray
    blocks_error: np.ndarray | None = None
    whole_error: np.ndarray | None = None
    plain_error: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class HeadPatterns(_Frozen):
    """What heads have learned to look at: one point for each head and picture.

    Attributes:
        layer, head, image: int32 ``(points,)``.
        at: float32 ``(points, 2)``, where a point lies; near each other means alike.
        cluster: int32 ``(points,)``, 0 the largest.
        statistics: float32 ``(points, 7)``, by the names in ``display["statistics"]``.
        variation: float32 ``(layers, heads)``: how far a head's maps differ between pictures, 0
            (the same: it does not mind the content) … 1; NaN of a single picture.

    The manifest's ``display`` has, of each cluster, ``names`` ("vertical") and ``breadths``
    ("local", "hybrid", "global"); its ``outcome`` how well they stand apart (``silhouette``).
    """

    kind: ClassVar[str] = "head-patterns"
    arrays: ClassVar[tuple[str, ...]] = (
        "layer", "head", "image", "at", "cluster", "statistics", "variation",
    )  # fmt: skip

    layer: np.ndarray
    head: np.ndarray
    image: np.ndarray
    at: np.ndarray
    cluster: np.ndarray
    statistics: np.ndarray
    variation: np.ndarray

    @property
    def names(self) -> tuple[str, ...]:
        """Name of each cluster."""
        return tuple(self.manifest["display"]["names"])

    def cluster_of(self, layer: int, head: int) -> int:
        """Return the cluster that most of a head's points lie in; of equals the larger one."""
        own = self.cluster[(self.layer == layer) & (self.head == head)]
        return int(np.bincount(own, minlength=1).argmax())
