"""How far an explanation moves when a network is pruned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import ParameterError, ResultError
from engine.pruning.measuring.intervals import Mean, mean_of
from engine.results import Attribution
from engine.tables.association import spearman

TOP = 0.1


@dataclass(frozen=True)
class Agreement:
    """How far two maps agree on an order.

    Attributes:
        rank: Spearman's rank correlation, −1 … 1; NaN where one map is all the same. By chance 0.
        overlap: share of the top places of one that are among those of the other, 0 … 1. Where
            several places tie for the last of the top, each is in it with equal chance.
        union: places in both tops over those in either, 0 … 1.
    """

    rank: float
    overlap: float
    union: float


@dataclass(frozen=True)
class Drift:
    """How far two attributions of the same input agree.

    Attributes:
        signed: by value: the top speaks most for the class.
        magnitude: by size, whatever the sign.
        places: number of places compared; a picture's channels are folded into one.
        top: how many of them make the top.
        chance: ``overlap`` of two orders drawn at random.
        chance_union: ``union`` of these.
    """

    signed: Agreement
    magnitude: Agreement
    places: int
    top: int
    chance: float
    chance_union: float


@dataclass(frozen=True)
class DriftOverSet:
    """The same over several inputs, each a mean with its interval.

    Attributes:
        rank, overlap, union: of the signed values.
        magnitude_rank, magnitude_overlap, magnitude_union: of their sizes.
        chance, chance_union: as in ``Drift``, mean over the inputs.
        each: of every input.
    """

    rank: Mean
    overlap: Mean
    union: Mean
    magnitude_rank: Mean
    magnitude_overlap: Mean
    magnitude_union: Mean
    chance: float
    chance_union: float
    each: tuple[Drift, ...]


def drift(before: Attribution, after: Attribution, *, top: float = TOP) -> Drift:
    """Hold an attribution against another of the same input.

    Args:
        before, after: of one shape; pictures are folded as they are shown, signed values by
            their sum over channels and sizes by the largest.
        top: share of the places that make the top.

    Raises:
        ResultError: attributions of different shapes.
        ParameterError: a share that is not above 0 and at most 1.
    """
    if before.values.shape != after.values.shape:
        raise ResultError(
            f"attributions of shape {before.values.shape} and {after.values.shape} cannot be "
            "compared: they have to be of one shape"
        )
    if not 0 < top <= 1:
        raise ParameterError(f"top={top}: expected a share above 0 and at most 1")
    places = _folded(before, magnitude=False).size
    count = max(1, round(top * places))
    return Drift(
        signed=_agreement(before, after, count, magnitude=False),
        magnitude=_agreement(before, after, count, magnitude=True),
        places=places,
        top=count,
        chance=count / places,
        chance_union=_union_by_chance(places, count),
    )


def drift_over(
    pairs: Sequence[tuple[Attribution, Attribution]], *, top: float = TOP
) -> DriftOverSet:
    """Do the same for several inputs: before and after of each.

    Raises:
        ResultError: no pairs, or shapes that differ within one.
        ParameterError: as in ``drift``.
    """
    each = tuple(drift(before, after, top=top) for before, after in pairs)
    if not each:
        raise ResultError("no attributions to compare")

    def mean(kind: str, name: str) -> Mean:
        return mean_of(np.array([getattr(getattr(one, kind), name) for one in each]))

    return DriftOverSet(
        rank=mean("signed", "rank"),
        overlap=mean("signed", "overlap"),
        union=mean("signed", "union"),
        magnitude_rank=mean("magnitude", "rank"),
        magnitude_overlap=mean("magnitude", "overlap"),
        magnitude_union=mean("magnitude", "union"),
        chance=float(np.mean([one.chance for one in each])),
        chance_union=float(np.mean([one.chance_union for one in each])),
        each=each,
    )


def _folded(given: Attribution, *, magnitude: bool) -> np.ndarray:
    """Return one number for each place, float64 ``(places,)``."""
    if given.values.ndim in (2, 3):
        return given.grid(magnitude=magnitude).ravel().astype(np.float64)
    values = given.values.ravel().astype(np.float64)
    return np.abs(values) if magnitude else values


def _agreement(
    before: Attribution, after: Attribution, count: int, *, magnitude: bool
) -> Agreement:
    one, other = (_folded(given, magnitude=magnitude) for given in (before, after))
    even = np.ptp(one) == 0 or np.ptp(other) == 0
    rank = float("nan") if even else float(spearman(np.stack([one, other], axis=1))[0, 1])
    both = float(_in_top(one, count) @ _in_top(other, count))
    return Agreement(rank, both / count, both / (2 * count - both))


def _in_top(values: np.ndarray, count: int) -> np.ndarray:
    """Return the chance of each place to be among the largest, ties drawn, ``(places,)``."""
    last = np.partition(values, -count)[-count]
    above, tied = values > last, values == last
    return np.asarray(above + tied * ((count - above.sum()) / tied.sum()))


def _union_by_chance(places: int, count: int) -> float:
    """Return the mean of |A ∩ B| / |A ∪ B| of two random tops: the overlap is hypergeometric."""
    from scipy.stats import hypergeom

    both = np.arange(max(0, 2 * count - places), count + 1)
    chance = hypergeom.pmf(both, places, count, count)
    return float((chance * both / (2 * count - both)).sum())
