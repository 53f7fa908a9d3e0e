"""Feature interactions over a Rashomon set: all good models of a kind, not one; numpy only.

Definitions are those of li2024exploring except where "our definition" says otherwise.
Every manifest has, beside ``request``, ``key``, ``source`` and ``outcome``, a ``display``:
``columns`` and ``titles`` of the features (superpixels of a picture: "region 3"), ``loss``
("log-loss" or "mean squared error"), ``unit`` of losses and effects, ``base_loss`` (L* of the
reference model, on the rows that were looked at).

A model is told by its *steps* and *signs*: steps ``(a, b)`` say that the first feature's m spends
the budget a/10 of ε and the second's b/10, signs whether each m went up (+1) or down (−1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from engine.halo_shapes import (
    NO_EFFECT,
    NOT_MASKABLE,
    NOT_REACHABLE,
    REACHED,
    STEPS,
    HaloCurve,
    curve_of,
    masks_of,
    scores_of,
)
from engine.results import Result

# A score of this share of losses and effects is none: they are sums in single precision.
_ROUNDING = 1e-6
_SURE = 2  # standard errors within which a score has no sign


@dataclass(frozen=True, eq=False)
class Interacting(Result):
    """What all findings about interactions have."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the features."""
        return tuple(self.manifest["display"]["columns"])

    @property
    def titles(self) -> tuple[str, ...]:
        """What people call the features."""
        return tuple(self.manifest["display"]["titles"])

    @property
    def base_loss(self) -> float:
        """L*, the loss of the reference model."""
        return float(self.manifest["display"]["base_loss"])

    @property
    def epsilon(self) -> float:
        """How far above L* a loss may be, as it was asked for."""
        return float(self.manifest["display"]["epsilon"])

    @property
    def outcome(self) -> dict[str, Any]:
        """What happened: passes, seconds, how the search went."""
        return dict(self.manifest["outcome"])


@dataclass(frozen=True, eq=False)
class PairCloud(Interacting):
    """What was computed for one pair; kept by itself so that long work can go on later.

    Attributes:
        loss, effects, error, halo_loss: one pair's part of those of ``Interactions``:
            ``(models,)``, ``(models, 3)``, ``(models, 4)``, ``(rates, 36)``.
    """

    kind: ClassVar[str] = "interaction-pair"
    arrays: ClassVar[tuple[str, ...]] = ("loss", "effects", "error", "halo_loss")

    loss: np.ndarray
    effects: np.ndarray
    error: np.ndarray
    halo_loss: np.ndarray


@dataclass(frozen=True, eq=False)
class Interactions(Interacting):
    """Masks, halos and clouds of pairs of features.

    Attributes:
        epsilons: float64 ``(rates,)``, what a loss may be above L*, ascending; the last is the
            one that was asked for, the others are nested in it.
        masks: float64 ``(rates, 11, features, 2)``: the m that spends k/10 of ε, going up
            ``[…, 0]`` and down ``[…, 1]``; 1 leaves the feature as it is.
        search_loss: float64, same shape: the model's loss with that one mask.
        status: uint8, same shape: 0 the budget was reached, 1 it cannot be (the loss saturates,
            |m − 1| stopped at 100; or one step on the model returns what is not finite), 2 the
            feature has no effect, 3 it cannot be masked (names of categories that an estimator is
            given as they are).
        pairs: int32 ``(pairs, 2)``.
        steps, signs: int8 ``(models, 2)``, the models of every cloud; the reference is the first
            (steps and signs 0).
        loss: float64 ``(pairs, models)``; infinite where a model returns NaN or infinity, its
            features moved or not: it is out of the set, and its effects are NaN.
        effects: float64 ``(pairs, models, 3)``: φ of the first feature, of the second, of both
            permuted together.
        error: float64 ``(pairs, models, 4)``: standard errors of these and of the interaction
            score; 0 where the average over permutations is exact.
        halo_steps, halo_signs: int8 ``(36, 2)``.
        halo_loss: float64 ``(rates, pairs, 36)``.
        reliance: float64 ``(features,)``, φ of the reference; with ``reliance_error``.
        strength: float64 ``(features, features)``, the reference's interaction score of every
            pair, symmetric, NaN on the diagonal; with ``strength_error``.
        other_loss: float64 ``(others,)``, losses of models that were really trained again
            (``display["others"]`` says how), or None; ``other_effects`` ``(pairs, others, 3)`` and
            ``other_error`` ``(pairs, others, 4)`` as above.
        regions: int32 ``(rows, columns)``: for pictures, the feature of each pixel; or None.
    """

    kind: ClassVar[str] = "interactions"
    arrays: ClassVar[tuple[str, ...]] = (
        "epsilons",
        "masks",
        "search_loss",
        "status",
        "pairs",
        "steps",
        "signs",
        "loss",
        "effects",
        "error",
        "halo_steps",
        "halo_signs",
        "halo_loss",
        "reliance",
        "reliance_error",
        "strength",
        "strength_error",
        "other_loss",
        "other_effects",
        "other_error",
        "regions",
    )

    epsilons: np.ndarray
    masks: np.ndarray
    search_loss: np.ndarray
    status: np.ndarray
    pairs: np.ndarray
    steps: np.ndarray
    signs: np.ndarray
    loss: np.ndarray
    effects: np.ndarray
    error: np.ndarray
    halo_steps: np.ndarray
    halo_signs: np.ndarray
    halo_loss: np.ndarray
    reliance: np.ndarray
    reliance_error: np.ndarray
    strength: np.ndarray
    strength_error: np.ndarray
    other_loss: np.ndarray | None = None
    other_effects: np.ndarray | None = None
    other_error: np.ndarray | None = None
    regions: np.ndarray | None = None

    @property
    def epsilon(self) -> float:
        """How far above L* a loss may be."""
        return float(self.epsilons[-1])

    @property
    def scores(self) -> np.ndarray:
        """FIS of every model, float64 ``(pairs, models)``: φ_ij − φ_i − φ_j."""
        return scores_of(self.effects)

    @property
    def rounding(self) -> np.ndarray:
        """Size up to which scores and effects are none, float64 ``(pairs, models)``: rounding.

        A millionth of the largest of loss, ε and the model's effects (our definition); NaN where
        these are.
        """
        largest = np.abs(self.effects).max(axis=-1, initial=0.0)
        return np.asarray(_ROUNDING * np.maximum(largest, max(self.base_loss, self.epsilon)))

    def swept(self, values: np.ndarray | float) -> np.ndarray:
        """Return scores or effects, 0 where they are rounding alone, as large as in a good model.

        Args:
            values: of any shape, which the result has.
        """
        dust = float(self.rounding[self.members()].max(initial=0.0))
        return np.where(np.abs(values) <= dust, 0.0, values)

    @property
    def doubt(self) -> np.ndarray:
        """Size up to which a score has no sign, ``(pairs, models)``: two errors, or rounding."""
        return np.asarray(np.maximum(_SURE * self.error[..., 3], self.rounding))

    @property
    def other_scores(self) -> np.ndarray | None:
        """FIS of the models that were trained again, ``(pairs, others)``, or None."""
        return None if self.other_effects is None else scores_of(self.other_effects)

    def members(self, epsilon: float | None = None) -> np.ndarray:
        """Say which models are in the Rashomon set, bool ``(pairs, models)``.

        Args:
            epsilon: how far above L* a loss may be; by default what was asked for. A smaller one
                is answered from what is there; a larger one finds no more models.
        """
        return self._within(self.loss, epsilon)

    def other_members(self, epsilon: float | None = None) -> np.ndarray:
        """Say the same of the models that were trained again, bool ``(others,)``."""
        return self._within(np.zeros(0) if self.other_loss is None else self.other_loss, epsilon)

    def _within(self, loss: np.ndarray, epsilon: float | None) -> np.ndarray:
        return np.asarray(loss <= self.base_loss + (self.epsilon if epsilon is None else epsilon))

    def distinct(self, pair: int) -> np.ndarray:
        """Return the models of a pair that differ, int64; where no mask moves, two are one."""
        found = np.unique(self.pair_masks(pair), axis=0, return_index=True)[1]
        return np.asarray(np.sort(found))

    @property
    def not_finite(self) -> int:
        """How many models, over all pairs, return what is not finite and are out of the set."""
        told = [self.loss[pair, self.distinct(pair)] for pair in range(len(self.pairs))]
        return int(sum((~np.isfinite(one)).sum() for one in told))

    def pair_masks(self, pair: int) -> np.ndarray:
        """Return the m of both features for every model of a pair, float64 ``(models, 2)``."""
        return masks_of(self.masks[-1], self.pairs[pair], self.steps, self.signs)

    def mask(self, pair: int, model: int) -> np.ndarray:
        """Return the whole mask of one model, float64 ``(features,)``."""
        found = np.ones(len(self.columns))
        found[self.pairs[pair]] = self.pair_masks(pair)[model]
        return found

    def spread(self, epsilon: float | None = None) -> np.ndarray:
        """Return [min, median, max] of the scores over the set, float64 ``(pairs, 3)``."""
        inside, scores = self.members(epsilon), self.scores
        return np.array(
            [
                np.quantile(scores[pair, chosen[inside[pair, chosen]]], [0, 0.5, 1])
                for pair, chosen in enumerate(map(self.distinct, range(len(self.pairs))))
            ]
        ).reshape(-1, 3)

    def agreement(self, epsilon: float | None = None) -> np.ndarray:
        """Return the share of models in the set whose score has the usual sign, ``(pairs,)``.

        The usual sign is that of the more (0.5 … 1); scores within their ``doubt`` have none (our
        definition). 1: all good models agree; 0: none has a sign.
        """
        inside, scores, doubt = self.members(epsilon), self.scores, self.doubt
        shares = []
        for pair in range(len(self.pairs)):
            chosen = self.distinct(pair)
            chosen = chosen[inside[pair, chosen]]
            up = (scores[pair, chosen] > doubt[pair, chosen]).mean()
            down = (scores[pair, chosen] < -doubt[pair, chosen]).mean()
            shares.append(max(up, down))
        return np.array(shares)

    def reliance_range(self, epsilon: float | None = None, *, ratio: bool = False) -> np.ndarray:
        """Return [min, max] of φ over the set, float64 ``(features, 2)``; NaN without a pair.

        Over all models of all pairs that the feature is in; as ``ratio``, permuted loss over loss.
        """
        told = self.ratio(self.effects, self.loss[..., None]) if ratio else self.effects
        found = np.full((len(self.columns), 2), np.nan)
        inside = self.members(epsilon)
        for pair, features in enumerate(self.pairs):
            for place, feature in enumerate(features):
                values = told[pair, inside[pair], place]
                low, high = found[feature]
                found[feature] = np.fmin(low, values.min()), np.fmax(high, values.max())
        return found

    def ratio(self, effects: np.ndarray, loss: np.ndarray | float) -> np.ndarray:
        """Return model reliance as a ratio, permuted loss over loss, from effects and losses."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((loss + effects) / loss)

    def halo(self, pair: int, rate: int = -1) -> HaloCurve:
        """Return the halo of a pair for one of the nested ε, by its place in ``epsilons``."""
        masks = masks_of(self.masks[rate], self.pairs[pair], self.halo_steps, self.halo_signs)
        loss = self.halo_loss[rate, pair]
        return curve_of(
            loss - self.base_loss,
            float(self.epsilons[rate]),
            self.halo_steps,
            self.halo_signs,
            masks,
        )


@dataclass(frozen=True, eq=False)
class Ball(Interacting):
    """Three features that share ε, as points around a centre; a fourth as a colour.

    Attributes:
        features: int32 ``(3,)`` or ``(4,)``.
        steps, signs: int8 ``(models, features)``, steps adding up to 10.
        masks: float64, same shape.
        loss: float64 ``(models,)``; infinite where a model returns NaN or infinity.
        effects: float64 ``(subsets,)``: φ of the reference for every set of these features in
            ``display["subsets"]``; with ``error``.
    """

    kind: ClassVar[str] = "interaction-ball"
    arrays: ClassVar[tuple[str, ...]] = (
        "features",
        "steps",
        "signs",
        "masks",
        "loss",
        "effects",
        "error",
    )

    features: np.ndarray
    steps: np.ndarray
    signs: np.ndarray
    masks: np.ndarray
    loss: np.ndarray
    effects: np.ndarray
    error: np.ndarray

    @property
    def rounding(self) -> float:
        """What an effect or a score may be by rounding alone: a millionth of the loss."""
        return _ROUNDING * max(self.base_loss, self.epsilon)

    def points(self) -> np.ndarray:
        """Return where each model lies, float64 ``(models, 3)``.

        The direction cosines are those of (±a, ±b, ±c), the distance is what the loss is above
        L*. A model that spends all on the fourth feature lies in no direction, and one whose loss
        is not finite at no distance: NaN.
        """
        direction = (self.steps * self.signs)[:, :3].astype(np.float64)
        above = np.where(np.isfinite(self.loss), self.loss - self.base_loss, np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            cosines = direction / np.linalg.norm(direction, axis=1, keepdims=True)
        return np.asarray(cosines * above[:, None])

    @property
    def fourth(self) -> np.ndarray | None:
        """Signed share of ε that the fourth feature spends, −1 … 1, ``(models,)``; or None."""
        if len(self.features) < 4:
            return None
        return np.asarray(self.steps[:, 3] * self.signs[:, 3] / STEPS)


@dataclass(frozen=True, eq=False)
class PairComparison(Result):
    """What other measures say of the same pairs: of the model's output, not of its loss.

    Attributes:
        pairs: int32 ``(pairs, 2)``.
        h: float64 ``(pairs,)``: Friedman's H² (friedman2008predictive), the share of what two
            features do together that neither does alone, 0 … 1.
        shap: float64 ``(pairs,)``: mean size of the SHAP interaction value
            (lundberg2018consistent), in units of the output.

    ``display`` has ``columns``, ``titles`` and ``number``, the output that is explained.
    """

    kind: ClassVar[str] = "interaction-comparison"
    arrays: ClassVar[tuple[str, ...]] = ("pairs", "h", "shap")

    pairs: np.ndarray
    h: np.ndarray
    shap: np.ndarray


__all__ = [
    "NOT_MASKABLE",
    "NOT_REACHABLE",
    "NO_EFFECT",
    "REACHED",
    "STEPS",
    "Ball",
    "HaloCurve",
    "Interacting",
    "Interactions",
    "PairCloud",
    "PairComparison",
    "masks_of",
    "scores_of",
]
