"""Plain names for what heads attend to, by simple statistics of their maps."""

from __future__ import annotations

import numpy as np

from engine.head_results import HeadMaps
from engine.heads.places import Places, places_of, weights_of
from engine.heads.strength import mean_over_patches

STATISTICS = ("class", "local", "vertical", "horizontal", "diagonal", "evenness", "reach")
# Our definitions: a pattern has the name of what holds at least half of its attention beyond
# chance; it is global if its attention is nearly even. Local and global by how far it goes.
_HALF, _EVEN = 0.5, 0.9
_LOCAL, _GLOBAL = 0.4, 0.75
_TITLES = {"class": "CLS"}


def statistics_of(maps: HeadMaps, layer: int) -> np.ndarray:
    """Describe the maps of one layer's heads.

    Each of the first five is a share of the attention of patches: what goes to class and register
    tokens; and of what goes to patches, what goes to neighbours (and the patch itself), to the
    same column, the same row, and the two diagonals, in how far it exceeds chance: 0 as of even
    attention (or less), 1 all. ``evenness`` is the entropy of what goes to patches as a share of
    the largest, ``reach`` the mean distance as a share of that of even attention.

    Returns:
        float64 ``(heads, 7)``, by ``STATISTICS``.
    """
    places = places_of(maps, layer)
    weights = weights_of(maps, layer, places)
    even = places.pairs[:, None].astype(np.float64)  # attends to all patches alike
    down, across = (abs(step) for step in places.steps())
    shapes = (
        np.maximum(down, across) <= 1,
        across == 0,
        down == 0,
        down == across,
    )
    found = [_to_class(weights, places)]
    for shape in shapes:
        share = mean_over_patches(weights, places, shape)
        chance = mean_over_patches(even, places, shape)
        found.append(np.maximum(0, share - chance) / np.where(chance < 1, 1 - chance, 1))
    distance = np.hypot(down, across)
    usual = mean_over_patches(even, places, distance)
    found.append(_evenness(weights, places))
    found.append(mean_over_patches(weights, places, distance) / np.where(usual > 0, usual, 1))
    return np.stack(found, axis=-1)


def name_of(statistics: np.ndarray) -> str:
    """Name a pattern by its statistics, ``(7,)``.

    >>> name_of(np.array([0, 0.1, 0.8, 0, 0, 0.5, 0.6]))
    'vertical'
    """
    first = int(statistics[:5].argmax())  # of equals the first: a patch itself is local
    if statistics[first] >= _HALF:
        return _TITLES.get(STATISTICS[first], STATISTICS[first])
    if breadth_of(statistics) == "local":
        return "local"
    even = statistics[STATISTICS.index("evenness")] >= _EVEN
    return "global" if even else "content-based"


def breadth_of(statistics: np.ndarray) -> str:
    """Say how far a pattern reaches: "local", "hybrid" or "global".

    The three kinds are those of zhang2025unip, their ends our definition.
    """
    reach = statistics[STATISTICS.index("reach")]
    return "local" if reach < _LOCAL else "global" if reach >= _GLOBAL else "hybrid"


def _to_class(weights: np.ndarray, places: Places) -> np.ndarray:
    """Return the mean share that patches give to class and register tokens, ``(heads,)``."""
    patch = places.patches >= 0
    special = places.real & ~patch
    given = np.einsum("whqk,wq,wk->h", weights, patch, special)
    return np.asarray(given / patch.sum())


def _evenness(weights: np.ndarray, places: Places) -> np.ndarray:
    between = weights * places.pairs[:, None]
    sums = between.sum(axis=-1, keepdims=True)
    rows = between / np.where(sums > 0, sums, 1)
    entropy = -(rows * np.log(np.where(rows > 0, rows, 1))).sum(axis=-1)  # (windows, heads, slots)
    reach = (places.patches >= 0).sum(axis=1)  # (windows,)
    largest = np.log(np.maximum(reach, 2))[:, None, None]
    asks = ((places.patches >= 0)[:, None] & (sums[..., 0] > 0)).astype(np.float64)
    total = (entropy / largest * asks).sum(axis=(0, 2))
    return np.asarray(total / np.maximum(1, asks.sum(axis=(0, 2))))
