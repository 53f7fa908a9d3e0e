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
        values: float32 ``(layers, heads)``, NaN where a layer has fewer heads than the most;
            larger says more important. Unit: the metric's, told in the manifest.
        error: standard error over images, same shape, or None of a single image.
    """

    kind: ClassVar[str] = "head-scores"
    arrays: ClassVar[tuple[str, ...]] = ("values", "error")

    values: np.ndarray
    error: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in self.arrays:
            array = getattr(self, name)
            if array is not None:
                array.setflags(write=False)

    @property
    def heads(self) -> tuple[int, ...]:
        """Number of heads of each layer."""
        return tuple(int(count) for count in np.isfinite(self.values).sum(axis=1))

    @property
    def ranking(self) -> list[tuple[int, int]]:
        """Layer and head of all heads, the most important first; equal ones in their order."""
        flat = self.values.ravel()
        places = np.flatnonzero(np.isfinite(flat))
        order = places[np.argsort(-flat[places], kind="stable")]
        width = self.values.shape[1]
        return [(int(place) // width, int(place) % width) for place in order]


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
