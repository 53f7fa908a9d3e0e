"""The maps of heads that patterns are found in, collected picture by picture."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.head_results import HeadMaps
from engine.heads.pattern_names import statistics_of
from engine.heads.places import places_of, weights_of
from engine.heads.pooling import pooled


@dataclass(eq=False)
class Points:
    """Maps of heads as they are collected, picture by picture.

    Attributes:
        grid: that they are brought to.
        places: layer, head and picture of each point.
        roots: roots of its weights, float32 ``(cells, cells)``.
        statistics: float64 ``(7,)`` of each.
    """

    grid: tuple[int, int]
    places: list[tuple[int, int, int]] = field(default_factory=list)
    roots: list[np.ndarray] = field(default_factory=list)
    statistics: list[np.ndarray] = field(default_factory=list)
    _last: list[np.ndarray] = field(default_factory=list)
    _variation: list[list[np.ndarray]] = field(default_factory=list)

    def add(self, index: int, maps: HeadMaps) -> None:
        """Take up all heads' maps of one picture."""
        now = []
        for layer, heads in enumerate(maps.heads):
            self.places += [(layer, head, index) for head in range(heads)]
            self.roots += list(np.sqrt(pooled(maps, layer, self.grid)).astype(np.float32))
            self.statistics += list(statistics_of(maps, layer))
            now.append(_rows(maps, layer))
        if self._last:
            changes = zip(now, self._last, strict=True)
            self._variation.append([np.abs(a - b).sum(axis=(0, 2)) / 2 for a, b in changes])
        self._last = now

    def variation(self, layers: int, heads: int) -> np.ndarray:
        """Return how far each head's maps change from one picture to the next.

        It is the total variation distance of what a token attends to in one picture and in the
        next one, the mean over tokens and pictures (our definition).

        Returns:
            float32 ``(layers, heads)``; NaN of a single picture and where there is no head.
        """
        found = np.full((layers, heads), np.nan, dtype=np.float32)
        for layer, changes in enumerate(zip(*self._variation, strict=True)):
            found[layer, : len(changes[0])] = np.mean(changes, axis=0)
        return found


def _rows(maps: HeadMaps, layer: int) -> np.ndarray:
    """Return what each token attends to, over the number of tokens; float32.

    Returns:
        ``(windows, heads, slots × slots)``.
    """
    places = places_of(maps, layer)
    weights = weights_of(maps, layer, places) / places.real.sum()
    return np.asarray(weights.reshape(*weights.shape[:2], -1).astype(np.float32))
