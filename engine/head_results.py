"""What is found out about attention heads: numpy only, ready to draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.results import Result

NONE = -1


@dataclass(frozen=True, eq=False)
class HeadScores(Result):
    """How much each head matters, by one metric.

    Attributes:
        values: float32 ``(layers, heads)``, NaN where a layer has fewer heads than the most, and
            where a head was not asked about; larger says more important. Unit: the metric's,
            told in the manifest's ``display``.
        error: standard error over images (of a single image over draws), same shape, or None.
        cheap: what the gradient says of all heads, same shape, where only those that it put
            first were switched off; else None.
    """

    kind: ClassVar[str] = "head-scores"
    arrays: ClassVar[tuple[str, ...]] = ("values", "error", "cheap")

    values: np.ndarray
    error: np.ndarray | None = None
    cheap: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in self.arrays:
            array = getattr(self, name)
            if array is not None:
                array.setflags(write=False)

    @property
    def key(self) -> str:
        """Digest of all that decides the numbers (hex)."""
        return str(self.manifest["key"])

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
    def key(self) -> str:
        """Digest of all that decides the numbers (hex)."""
        return str(self.manifest["key"])

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
    """

    maps: tuple[np.ndarray, ...]
    layouts: tuple[np.ndarray, ...]
    grids: tuple[tuple[int, int], ...]
    prefix: tuple[int, ...]
    suffix: tuple[int, ...]
    names: tuple[str, ...]

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
