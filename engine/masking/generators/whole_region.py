"""One region whole, the others in proportion (wang2025fsfm)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.execution.draws import generator
from engine.masking.generators.generator import Generator, Wanted
from engine.masking.generators.ranking import hide_lowest, uniform_noise
from engine.parameters import Value


class WholeRegion(Generator):
    """One region that is drawn is hidden whole; of the others equal parts, up to the exact count.

    The region is drawn among those that are not larger than what is to be hidden; where all are
    larger, a part of one is hidden. What is left is dealt out to the others in proportion to their
    sizes, rounded as Webster does (the k-th cell of a region of s goes at (k − ½) / s); which cells
    of a region go is drawn.
    """

    name = "region-complete"
    title = "Whole region"
    summary = "Hides one region completely, and the same part of every other."
    paper = "wang2025fsfm"
    caveat = "The paper's regions are parts of a face; here superpixels, or your own labels."
    guide = "regions"
    usual_guide = "superpixels"

    def keep(self, wanted: Wanted, parameters: Mapping[str, Value]) -> np.ndarray:
        """Return masks, bool ``(count, rows, columns)``."""
        found, region = np.unique(wanted.needed_guide.ravel(), return_inverse=True)
        sizes = np.bincount(region, minlength=len(found))
        chosen = _chosen(wanted, sizes)
        drawn = uniform_noise(wanted, source=1)
        place = _place_in_region(region, sizes, drawn.reshape(wanted.count, -1))
        turn = (place + 0.5) / sizes[region]
        turn[region == chosen[:, None]] -= 1  # before all others, whose turns are above 0
        return hide_lowest(wanted, turn.reshape(drawn.shape), drawn)


def _chosen(wanted: Wanted, sizes: np.ndarray) -> np.ndarray:
    """Draw the region of each mask, int64 ``(count,)``."""
    fitting = np.flatnonzero(sizes <= wanted.hide)
    among = fitting if len(fitting) else np.arange(len(sizes))
    picked = [int(generator(wanted.seed, i).integers(len(among))) for i in range(wanted.count)]
    return np.asarray(among[picked])


def _place_in_region(region: np.ndarray, sizes: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Return each cell's place in the drawn order of its region, from 0; ``(count, cells)``."""
    regions = np.broadcast_to(region, noise.shape)
    order = np.lexsort((noise, regions), axis=1)  # region by region
    starts = np.cumsum(sizes) - sizes
    place = np.empty(noise.shape, dtype=np.int64)
    counted = np.arange(len(region)) - starts[np.sort(region)]
    np.put_along_axis(place, order, np.broadcast_to(counted, noise.shape), axis=1)
    return place
