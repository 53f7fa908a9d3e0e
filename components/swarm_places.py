"""Where the dots of a swarm of models lie, in pixels: no two of them overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from components import packing
from components.swarm_values import Band, Of, Value, bands_of
from engine.interaction_results import Interactions

WIDTH = 520.0  # pixels between the ends of the axis at which the dots lie as declared
DOT, MARK, STAR = 5.0, 8.0, 15.0  # pixels across: a model, one trained again, the reference
MOST = 4000  # dots
TITLE = 22.0  # pixels above a band's dots
TALLEST = (60.0, 160.0)  # pixels: many bands' dots and few bands' pile no higher, or are fewer
_ROOM = 900.0  # pixels that the bands share
_LEAST, _APART = 20.0, 10.0  # pixels: room of a band's dots, and to the next band
_EDGE = 0.03  # of the axis, to each side
_FEW = 12  # dots that are always drawn


@dataclass(frozen=True, eq=False)
class Placed:
    """Where the dots of a band lie.

    Attributes:
        band: the models that are drawn.
        x, y: middles of the dots in pixels, float64 ``(models,)``; y is counted down from the top
            of the first band.
        sizes: of the dots, pixels across, float64 ``(models,)``.
        top, middle, end: of the band, pixels.
        there: how many models there are, drawn or not.
    """

    band: Band
    x: np.ndarray
    y: np.ndarray
    sizes: np.ndarray
    top: float
    middle: float
    end: float
    there: int

    def within(self, found: Interactions, epsilon: float | None) -> Placed:
        """Return the same dots with those as members whose loss is at most ε above L*."""
        return replace(self, band=self.band.within(found, epsilon))


def laid(
    found: Interactions,
    of: Of = "pairs",
    value: Value = "score",
    *,
    absolute: bool = False,
    most: int | None = None,
    keep: tuple[int, int] | None = None,
    wide: float = WIDTH,
) -> list[Placed]:
    """Return where the dots of a swarm lie; it holds for every ε, and takes most of the time.

    Args:
        found: the interactions.
        of, value, absolute: as in ``swarm_values.bands_of``.
        most, keep, wide: as in ``positions``.
    """
    bands = bands_of(found, of, value, absolute=absolute)
    limits = found.base_loss + np.sort(found.epsilons)
    return positions(bands, limits=limits, most=most, keep=keep, wide=wide)


def positions(
    bands: list[Band],
    *,
    limits: Sequence[float] | np.ndarray = (),
    wide: float = WIDTH,
    most: int | None = None,
    keep: tuple[int, int] | None = None,
) -> list[Placed]:
    """Return where the dots lie.

    Args:
        bands: as ``swarm_values.bands_of`` returns them.
        limits: losses up to which sets reach that lie within each other, the smallest first: the
            models of a smaller set lie nearer to the middle.
        wide: of the axis, from end to end, pixels.
        most: dots at the most; by default ``MOST``. Of more, every so manieth in the order of the
            values is drawn, and always the reference, both ends and models trained again.
        keep: pair and model that is drawn in any case.
    """
    low, high = ends_of(bands)
    there = sum(len(band.values) for band in bands)
    share = min(1.0, (MOST if most is None else max(1, most)) / max(1, there))
    tallest = tallest_of(len(bands))
    placed: list[Placed] = []
    top = 0.0
    for band in bands:
        shown, x, y, sizes = _fitted(band, share, tallest, (low, high, wide), limits, keep)
        room = max(_LEAST, tall_of(y, sizes))
        middle, end = top + TITLE + room / 2, top + TITLE + room + _APART
        placed.append(Placed(shown, x, middle + y, sizes, top, middle, end, len(band.values)))
        top = end
    return placed


def drawn(placed: list[Placed], dot: tuple[int, int]) -> bool:
    """Whether a model, told by its pair and number, is among the dots that are drawn."""
    return any(
        bool(((one.band.pair == dot[0]) & (one.band.model == dot[1])).any()) for one in placed
    )


def tallest_of(bands: int) -> float:
    """Return how high the dots of a band may pile, pixels: the fewer bands the higher."""
    return float(np.clip(_ROOM / max(1, bands), *TALLEST))


def ends_of(bands: list[Band]) -> tuple[float, float]:
    """Return the ends of the axis, a little beyond the outermost dots."""
    values = np.concatenate([band.values for band in bands] or [np.zeros(1)])
    low, high = float(values.min()), float(values.max())
    if not low < high:
        half = abs(low) / 10 or 1.0
        return low - half, low + half
    return low - _EDGE * (high - low), high + _EDGE * (high - low)


def tall_of(y: np.ndarray, sizes: np.ndarray) -> float:
    """Return how high the dots of a band pile, pixels."""
    return float((2 * np.abs(y) + sizes).max(initial=0.0))


def _fitted(
    band: Band,
    share: float,
    tallest: float,
    axis: tuple[float, float, float],
    limits: Sequence[float] | np.ndarray,
    keep: tuple[int, int] | None,
) -> tuple[Band, np.ndarray, np.ndarray, np.ndarray]:
    """Return as many models as there is room for; x, how far they move aside, and their sizes."""
    low, high, wide = axis
    tallest += _pile_of_marks(band, axis)
    while True:
        shown = _thinned(band, share, keep)
        sizes = np.select([shown.reference, shown.retrained], [STAR, MARK], DOT)
        rank = 2 + np.searchsorted(limits, shown.loss)
        rank = np.select([shown.reference, shown.retrained], [0, 1], rank)
        x = (shown.values - low) / (high - low) * wide
        y = packing.aside(x, sizes, rank)
        tall = tall_of(y, sizes)
        if tall <= tallest or share * len(band.values) <= _FEW:
            return shown, x, y, sizes
        share *= min(0.9, max(0.3, tallest / tall))


def _pile_of_marks(band: Band, axis: tuple[float, float, float]) -> float:
    """Return how high the marks that are always drawn pile beyond a single star, pixels."""
    low, high, wide = axis
    marks = band.some(band.reference | band.retrained)
    sizes = np.where(marks.reference, STAR, MARK)
    x = (marks.values - low) / (high - low) * wide
    return max(0.0, tall_of(packing.aside(x, sizes, ~marks.reference), sizes) - STAR)


def _thinned(band: Band, share: float, keep: tuple[int, int] | None) -> Band:
    """Return about a share of the dots, evenly in the order of the values."""
    count = len(band.values)
    if share >= 1:
        return band
    order = np.argsort(band.values, kind="stable")
    evenly = np.linspace(0, count - 1, max(2, int(share * count))).round().astype(np.int64)
    chosen = band.retrained | band.reference
    chosen[order[evenly]] = True
    if keep is not None:
        chosen |= (band.pair == keep[0]) & (band.model == keep[1])
    return band.some(chosen)
