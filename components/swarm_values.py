"""What a swarm of good models shows: each model once, with its value and its loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from components import saying
from components.interaction_names import order_of, pair_named
from engine.interaction_results import Interactions

Of = Literal["pairs", "columns"]
Value = Literal["score", "reliance", "ratio"]

VALUES: dict[str, str] = {
    "score": "interaction score (FIS)",
    "reliance": "reliance",
    "ratio": "reliance, permuted loss over loss",
}


@dataclass(frozen=True, eq=False)
class Band:
    """The models of one pair, or of all pairs of a feature; the reference is the first.

    Attributes:
        title: of the pair or the feature.
        values: float64 ``(models,)``.
        loss: float64 ``(models,)``.
        member: bool ``(models,)``, in the set.
        pair, model: int32 ``(models,)``, which model it is; a model that was trained again has
            −1 − its place among these.
    """

    title: str
    values: np.ndarray
    loss: np.ndarray
    member: np.ndarray
    pair: np.ndarray
    model: np.ndarray

    @property
    def retrained(self) -> np.ndarray:
        """Which models were really trained again, bool ``(models,)``."""
        return np.asarray(self.model < 0)


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

    Args:
        found: the interactions.
        of: "pairs", or "columns": a feature has the models of all its pairs.
        value: "score" (FIS), "reliance" (φ: of a pair, both permuted together) or "ratio".
        epsilon: how far above L* a loss may be; by default what was asked for.
        absolute: sizes instead of signed values; of a ratio, its distance from 1.
    """
    each = [_of_pair(found, pair, value, epsilon, None) for pair in range(len(found.pairs))]
    if of == "pairs":
        bands = [each[int(pair)] for pair in order_of(found)]
    else:
        bands = [_of_column(found, at, value, epsilon) for at in range(len(found.columns))]
        bands = [band for band in bands if len(band.values)]
    if absolute:
        base = neutral(value)
        bands = [_with(band, np.abs(band.values - base)) for band in bands]
    if of == "columns" or value != "score":
        bands.sort(key=lambda band: -_farthest(band, 0.0 if absolute else neutral(value)))
    return bands


def _farthest(band: Band, base: float) -> float:
    inside = np.abs(band.values[band.member] - base)
    return float(np.nanmax(inside, initial=0.0))


def _with(band: Band, values: np.ndarray) -> Band:
    return Band(band.title, values, band.loss, band.member, band.pair, band.model)


def _of_pair(
    found: Interactions, pair: int, value: Value, epsilon: float | None, feature: int | None
) -> Band:
    """Return the models of one pair; with the value of the pair, or of one of its features."""
    chosen = found.distinct(pair)
    place = 2 if feature is None else int(np.flatnonzero(found.pairs[pair] == feature)[0])
    loss, member = found.loss[pair, chosen], found.members(epsilon)[pair, chosen]
    values = found.scores[pair, chosen]
    if value != "score":
        values = found.effects[pair, chosen, place]
    model = chosen.astype(np.int32)
    if found.other_loss is not None and found.other_effects is not None:
        scores = found.other_scores
        told = found.other_effects[pair, :, place]
        told = scores[pair] if value == "score" and scores is not None else told
        values = np.concatenate([values, told])
        loss = np.concatenate([loss, found.other_loss])
        member = np.concatenate([member, found.other_members(epsilon)])
        model = np.concatenate([model, -1 - np.arange(len(found.other_loss), dtype=np.int32)])
    if value == "ratio":
        values = found.ratio(values, loss)
    there = np.isfinite(values)
    title = pair_named(found, pair)
    where = np.full(len(model), pair, dtype=np.int32)
    return Band(title, *(part[there] for part in (values, loss, member, where, model)))


def _of_column(found: Interactions, feature: int, value: Value, epsilon: float | None) -> Band:
    """Return the models of all pairs of a feature, each once where only its own value counts."""
    pairs = np.flatnonzero((found.pairs == feature).any(axis=1))
    parts = [_of_pair(found, int(pair), value, epsilon, feature) for pair in pairs]
    names = ("values", "loss", "member", "pair", "model")
    arrays = [
        np.concatenate([getattr(part, name) for part in parts]) if parts else np.zeros(0)
        for name in names
    ]
    band = Band(found.titles[feature], *arrays)
    return band if value == "score" or not parts else _once(found, band)


def _once(found: Interactions, band: Band) -> Band:
    """Leave out models that another pair has as well: the same mask, or trained again."""
    whole = np.zeros((len(band.values), len(found.columns) + 1))
    for at, (pair, model) in enumerate(zip(band.pair, band.model, strict=True)):
        if model < 0:
            whole[at, -1] = model
        else:
            whole[at, :-1] = found.mask(int(pair), int(model))
    kept = np.sort(np.unique(whole, axis=0, return_index=True)[1])
    parts = (getattr(band, name)[kept] for name in ("values", "loss", "member", "pair", "model"))
    return Band(band.title, *parts)


def counted_out(bands: list[Band]) -> int:
    """Return how many models are out of bound, over all bands."""
    return sum(int((~band.member).sum()) for band in bands)


def count_told(drawn: int, there: int) -> str:
    """Say how many dots are drawn of how many there are."""
    if drawn == there:
        return saying.counted(there, "dot")
    return f"{saying.number(drawn, 9)} of {saying.counted(there, 'dot')} drawn"
