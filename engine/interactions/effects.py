"""What permuting features costs a model, and what two cost together beyond each by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from engine.interaction_results import scores_of
from engine.interactions.world import Subset, World

Measured = tuple[np.ndarray, np.ndarray]


def pair_effects(world: World, masks: np.ndarray, pair: tuple[int, int]) -> Measured:
    """Measure masked models on one pair (li2024exploring).

    φ_I(f) = L(f with the features of I permuted together) − L(f); the interaction score is
    φ_ij − φ_i − φ_j. All models and all three φ see the same permutations, so that most of what
    is drawn cancels in the score.

    Args:
        world: model and data.
        masks: ``(k, features)``; models that are alike are asked once.
        pair: of features.

    Returns:
        φ_i, φ_j, φ_ij, float64 ``(k, 3)``; and standard errors of these and of the score
        ``(k, 4)``, 0 where the average is exact. All are NaN for a model that returns what is not
        finite, with features moved or without.
    """
    subsets: list[Subset] = [(pair[0],), (pair[1],), pair]
    distinct, where = np.unique(masks, axis=0, return_inverse=True)
    moved = world.moved(distinct, subsets, exact=world.exact(subsets))
    base = world.losses(distinct)
    with np.errstate(invalid="ignore"):
        effects, error = measured([one - base[:, None] for one in moved])
    unknown = ~np.isfinite(effects).all(axis=1)
    effects[unknown] = error[unknown] = np.nan
    where = where.reshape(-1)
    return effects[where], error[where]


def measured(draws: Sequence[np.ndarray]) -> Measured:
    """Return means and standard errors of three effects drawn together, each ``(k, draws)``."""
    stacked = np.stack(draws, axis=1)  # (k, 3, draws)
    with np.errstate(invalid="ignore"):
        each = np.concatenate([stacked, scores_of(stacked.swapaxes(1, 2))[:, None]], axis=1)
        return stacked.mean(axis=2), standard_error(each)


def standard_error(draws: np.ndarray) -> np.ndarray:
    """Return the standard error of the mean over the last axis; 0 of a single, exact one."""
    count = draws.shape[-1]
    if count == 1:
        return np.zeros(draws.shape[:-1])
    return np.asarray(draws.std(axis=-1, ddof=1) / np.sqrt(count))


class OneModel:
    """Effects of a single model on all features and pairs, each set permuted once only.

    Attributes:
        loss: of the model as it is.

    Args:
        world: model and data.
        mask: ``(features,)``; by default the reference.
    """

    def __init__(self, world: World, mask: np.ndarray | None = None) -> None:
        self._world = world
        self._mask = (np.ones(world.features) if mask is None else mask)[None]
        self.loss = float(world.losses(self._mask)[0])
        self._known: dict[tuple[Subset, bool], np.ndarray] = {}

    def draws(self, subset: Subset, *, exact: bool) -> np.ndarray:
        """Return φ of a set of features under each permutation, ``(draws,)``."""
        key = subset, exact
        if key not in self._known:
            (moved,) = self._world.moved(self._mask, [subset], exact=exact)
            with np.errstate(invalid="ignore"):
                self._known[key] = moved[0] - self.loss
        return self._known[key]

    def alone(self) -> Measured:
        """Return φ of every feature with its standard error, each ``(features,)``."""
        found = [self._of((feature,)) for feature in range(self._world.features)]
        return np.array([mean for mean, _ in found]), np.array([error for _, error in found])

    def pairs(self) -> Measured:
        """Return the score of every pair and its error, ``(features, features)``."""
        count = self._world.features
        scores, error = np.full((2, count, count), np.nan)
        for i, j in self._all():
            effects, doubt = self.pair(i, j)
            scores[i, j] = scores[j, i] = scores_of(effects)
            error[i, j] = error[j, i] = doubt[3]
        return scores, error

    def pair(self, i: int, j: int) -> Measured:
        """Return φ_i, φ_j, φ_ij ``(3,)`` and errors of these and of the score ``(4,)``."""
        subsets: list[Subset] = [(i,), (j,), (i, j)]
        exact = self._world.exact(subsets)
        effects, error = measured([self.draws(one, exact=exact)[None] for one in subsets])
        return effects[0], error[0]

    def _of(self, subset: Subset) -> tuple[float, float]:
        draws = self.draws(subset, exact=self._world.exact([subset]))
        return float(draws.mean()), float(standard_error(draws))

    def _all(self) -> Iterator[tuple[int, int]]:
        return combinations(range(self._world.features), 2)


__all__ = ["OneModel", "measured", "pair_effects", "standard_error"]
