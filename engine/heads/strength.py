"""How strongly heads attend to near and far patches, and to how many tokens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.head_results import MEASURES, HeadMaps
from engine.heads.places import Places, places_of, weights_of

NEEDED = 0.9
_ROUNDING = 1e-6  # rows of float32 that sum to 0.9 are taken to reach it


@dataclass(frozen=True, eq=False)
class Strength:
    """What one picture tells; see ``HeadStrength``.

    Attributes:
        profile: float64 ``(layers, heads, hops)``.
        cells: float64 ``(layers, hops)``.
        measures: float64 ``(layers, heads, 8)``.
    """

    profile: np.ndarray
    cells: np.ndarray
    measures: np.ndarray


def strength_of(maps: HeadMaps, size: tuple[int, int]) -> Strength:
    """Measure all heads in one picture.

    Args:
        maps: what they attend to.
        size: height and width of the prepared picture, in pixels.
    """
    layers, heads = len(maps.maps), max(maps.heads)
    hops = max(max(grid) for grid in maps.grids)
    profile = np.full((layers, heads, hops), np.nan)
    cells = np.full((layers, hops), np.nan)
    measures = np.full((layers, heads, len(MEASURES)), np.nan)
    for layer, count in enumerate(maps.heads):
        places = places_of(maps, layer)
        weights = weights_of(maps, layer, places)
        own = max(places.grid)
        profile[layer, :count, :own], cells[layer, :own] = _profile(weights, places, own)
        measures[layer, :count, :3] = _class_shares(weights, places, maps.class_token(layer))
        measures[layer, :count, 3] = _distance(weights, places, size)
        measures[layer, :count, 4:6] = _entropy(weights, places)
        measures[layer, :count, 6:] = _needed(weights, places)
    cells[cells == 0] = np.nan
    profile[np.isnan(cells)[:, None].repeat(heads, axis=1)] = np.nan
    return Strength(profile, cells, measures)


def _profile(weights: np.ndarray, places: Places, hops: int) -> tuple[np.ndarray, np.ndarray]:
    """Return S(k) of each head, ``(heads, hops)``, and the cells at each distance, ``(hops,)``."""
    index = places.hops().ravel() + 1  # 0: not between patches
    by_head = weights.swapaxes(0, 1).reshape(weights.shape[1], -1)
    sums = [np.bincount(index, one, hops + 1)[1:] for one in by_head]
    count = places.grid[0] * places.grid[1]
    return np.stack(sums) / count, np.bincount(index, minlength=hops + 1)[1:] / count


def _class_shares(weights: np.ndarray, places: Places, token: int) -> np.ndarray:
    """Return what the class token gives to itself and to patches, and patches to it."""
    if token < 0:
        return np.full((weights.shape[1], 3), np.nan)
    own = places.tokens == token  # (windows, slots)
    patch = places.patches >= 0
    queries, keys = (own, own, patch), (own, patch, own)
    counts = (1, 1, patch.sum())
    return np.stack(
        [
            np.einsum("whqk,wq,wk->h", weights, q, k) / n
            for q, k, n in zip(queries, keys, counts, strict=True)
        ],
        axis=-1,
    )


def _distance(weights: np.ndarray, places: Places, size: tuple[int, int]) -> np.ndarray:
    """Return the mean distance in pixels from patches to the patches they attend to.

    The distance is Euclid's, between middles; what goes to other tokens does not count, and
    patches that give nothing to patches are left out.
    """
    high, wide = (length / count for length, count in zip(size, places.grid, strict=True))
    down, across = places.steps()
    pixels = np.hypot(down * high, across * wide)
    return mean_over_patches(weights, places, pixels)


def mean_over_patches(weights: np.ndarray, places: Places, values: np.ndarray) -> np.ndarray:
    """Return the mean over patches of a value's mean over the patches each attends to.

    Args:
        weights: ``(windows, heads, slots, slots)``.
        places: of the slots.
        values: ``(windows, slots, slots)``.

    Returns:
        float64 ``(heads,)``.
    """
    between = weights * places.pairs[:, None]
    given = between.sum(axis=-1)  # (windows, heads, slots)
    means = np.einsum("whqk,wqk->whq", between, values) / np.where(given > 0, given, 1)
    return np.asarray(means.sum(axis=(0, 2)) / np.maximum(1, (given > 0).sum(axis=(0, 2))))


def _entropy(weights: np.ndarray, places: Places) -> np.ndarray:
    """Return the mean entropy of rows in nats, and as a share of the largest, ``(heads, 2)``."""
    logs = np.log(np.where(weights > 0, weights, 1))
    entropy = -(weights * logs).sum(axis=-1).swapaxes(1, 2)[places.real]  # (tokens, heads)
    largest = np.log(_reach(places))[:, None]
    share = np.where(largest > 0, entropy / np.where(largest > 0, largest, 1), 1)
    return np.stack([entropy.mean(axis=0), share.mean(axis=0)], axis=-1)


def _needed(weights: np.ndarray, places: Places) -> np.ndarray:
    """Return the median number of tokens that hold 90 % of a row, and its share, ``(heads, 2)``."""
    falling = -np.sort(-weights, axis=-1)
    short = falling.cumsum(axis=-1) < NEEDED - _ROUNDING
    count = 1 + short.sum(axis=-1).swapaxes(1, 2)[places.real]  # (tokens, heads)
    share = count / _reach(places)[:, None]
    return np.stack([np.median(count, axis=0), np.median(share, axis=0)], axis=-1)


def _reach(places: Places) -> np.ndarray:
    """How many tokens each token can attend to, ``(tokens,)``: those of its window."""
    real = places.real
    return np.broadcast_to(real.sum(axis=1)[:, None], real.shape)[real]
