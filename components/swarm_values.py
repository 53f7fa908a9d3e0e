"""What a swarm of good models shows: each model once, with its value and its loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from components.interaction_names import order_of, pair_named
from components.sign_agreement import SURE
from engine.interaction_results import Interactions

Of = Literal["pairs", "columns"]
Value = Literal["score", "reliance", "ratio"]

VALUES: dict[str, str] = {
    "score": "interaction score (FIS)",
    "reliance": "reliance",
    "ratio": "reliance (permuted loss over loss)",
}


@dataclass(frozen=True, eq=False)
class Band:
    """The models of one pair, or of all pairs of a feature.

    Attributes:
        title: of the pair or the feature.
        values: float64 ``(models,)``; with ``error``, standard errors.
        loss: float64 ``(models,)``.
        member: bool ``(models,)``, in the set.
        pair, model: int32 ``(models,)``, which model it is: 0 is the reference; a model that was
            trained again has −1 − its place among these.
    """

    title: str
    values: np.ndarray
    error: np.ndarray
    loss: np.ndarray
    member: np.ndarray
    pair: np.ndarray
    model: np.ndarray

    @property
    def retrained(self) -> np.ndarray:
        """Which models were really trained again, bool ``(models,)``."""
        return np.asarray(self.model < 0)

    @property
    def reference(self) -> np.ndarray:
        """Which dots are the reference, bool ``(models,)``; scores of a feature have several."""
        return np.asarray(self.model == 0)

    def within(self, found: Interactions, epsilon: float | None) -> Band:
        """Return the same with those as members whose loss is at most ε above L*."""
        limit = found.base_loss + (found.epsilon if epsilon is None else epsilon)
        return replace(self, member=np.asarray(self.loss <= limit))

    def some(self, which: np.ndarray) -> Band:
        """Return the band of some of its models, told by places or by a bool array."""
        arrays = {name: getattr(self, name)[which] for name in _ARRAYS}
        return replace(self, **arrays)


_ARRAYS = ("values", "error", "loss", "member", "pair", "model")


def neutral(value: Value) -> float:
    """Return the value of a feature without effect, of a pair without interaction."""
    return 1.0 if value == "ratio" else 0.0


def bands_of(
    found: Interactions,
    of: Of = "pairs",
    value: Value = "score",
    epsilon: float | None = None,
    *,
    absolute: bool = False,
) -> list[Band]:
    """Return a band for each pair or feature, the one that reaches farthest first.

    Which one does is told by the largest set: bands keep their places in the smaller ones.

    Args:
        found: the interactions.
        of: "pairs", or "columns": a feature has the models of all its pairs.
        value: "score" (FIS; of a feature those of all its pairs), "reliance" (φ; of a pair that
            of both permuted together) or "ratio".
        epsilon: how far above L* a loss may be; by default what was asked for.
        absolute: sizes instead of signed values; of a ratio, its distance from 1.
    """
    base = neutral(value)
    if of == "pairs":
        bands = [_of_pair(found, int(pair), value, None) for pair in order_of(found)]
    else:
        bands = [_of_column(found, i, value) for i in range(len(found.columns))]
    bands = [band for band in bands if len(band.values)]
    if of == "columns" or value != "score":
        bands.sort(key=lambda band: -farthest(band, value))
    if absolute:
        bands = [replace(band, values=np.abs(band.values - base)) for band in bands]
    return [band.within(found, epsilon) for band in bands]


def surely_above(band: Band, base: float) -> bool:
    """Say whether all good models have a value above ``base``, by two standard errors."""
    inside = band.some(band.member)
    return bool((inside.values - SURE * inside.error > base).all())


def farthest(band: Band, value: Value) -> float:
    """Return how far the models in the set reach from where a feature has no effect."""
    return float(np.abs(band.values[band.member] - neutral(value)).max(initial=0.0))


def _of_pair(found: Interactions, pair: int, value: Value, feature: int | None) -> Band:
    """Return the models of one pair; with the value of the pair, or of one of its features."""
    place = 3 if value == "score" else 2
    if value != "score" and feature is not None:
        place = int(np.flatnonzero(found.pairs[pair] == feature)[0])
    chosen = found.distinct(pair)
    told = [
        np.column_stack([found.effects[pair, chosen], found.scores[pair, chosen]])[:, place],
        found.error[pair, chosen, place],
        found.loss[pair, chosen],
        found.members()[pair, chosen],
        chosen.astype(np.int32),
    ]
    told = [
        np.concatenate([own, other])
        for own, other in zip(told, _trained(found, pair, place), strict=True)
    ]
    values, error, loss, member, model = told
    values = found.swept(values)
    if value == "ratio":
        with np.errstate(divide="ignore", invalid="ignore"):
            values, error = found.ratio(values, loss), error / loss
    where = np.full(len(model), pair, dtype=np.int32)
    title = pair_named(found, pair) if feature is None else found.titles[feature]
    return Band(title, values, error, loss, member, where, model).some(np.isfinite(values))


def _trained(found: Interactions, pair: int, place: int) -> tuple[np.ndarray, ...]:
    """Return values, errors, losses, members and numbers of the models that were trained again."""
    scores, effects, errors = found.other_scores, found.other_effects, found.other_error
    if found.other_loss is None or scores is None or effects is None or errors is None:
        return (*[np.zeros(0)] * 3, np.zeros(0, dtype=bool), np.zeros(0, dtype=np.int32))
    values = np.column_stack([effects[pair], scores[pair]])[:, place]
    numbers = -1 - np.arange(len(values), dtype=np.int32)
    return values, errors[pair, :, place], found.other_loss, found.other_members(), numbers


def _of_column(found: Interactions, feature: int, value: Value) -> Band:
    """Return the models of all pairs of a feature, each once where only its own value counts."""
    pairs = np.flatnonzero((found.pairs == feature).any(axis=1))
    parts = [_of_pair(found, int(pair), value, feature) for pair in pairs]
    if not parts:
        return Band(found.titles[feature], *(np.zeros(0, dtype=np.int32) for _ in _ARRAYS))
    arrays = [np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS]
    band = Band(found.titles[feature], *arrays)
    return band if value == "score" else _once(found, band)


def _once(found: Interactions, band: Band) -> Band:
    """Leave out models that another pair has as well: the same mask, or trained again."""
    whole = np.ones((len(band.values), len(found.columns) + 1))
    whole[:, -1] = np.minimum(band.model, 0)
    for pair in np.unique(band.pair):
        rows = np.flatnonzero((band.pair == pair) & (band.model >= 0))
        whole[rows[:, None], found.pairs[pair]] = found.pair_masks(pair)[band.model[rows]]
    return band.some(np.sort(np.unique(whole, axis=0, return_index=True)[1]))


def out_of_bound(bands: list[Band]) -> tuple[int, int]:
    """Return how many dots are out of bound, and how many there are, over all bands."""
    return sum(int((~band.member).sum()) for band in bands), sum(len(b.values) for b in bands)
