"""Which budgets features share: the models of halos, clouds and balls."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from engine.interaction_results import STEPS

Combined = tuple[np.ndarray, np.ndarray]


def halo_models() -> Combined:
    """Return steps and signs, int8 ``(36, 2)``: a + b = 10, both at least 1, four quadrants."""
    steps = [(a, STEPS - a) for a in range(1, STEPS)]
    return _signed(steps, 2)


def cloud_models() -> Combined:
    """Return steps and signs, int8 ``(265, 2)``: the reference, then all a + b ≤ 10.

    A budget of 0 has masks of its own: a loss may fall before it rises, and then even a budget of
    nothing allows a move.
    """
    steps = [(a, b) for a, b in product(range(STEPS + 1), repeat=2) if a + b <= STEPS]
    found, signs = _signed(steps, 2)
    nothing = np.zeros((1, 2), np.int8)
    return np.concatenate([nothing, found]), np.concatenate([nothing, signs])


def ball_models(features: int) -> Combined:
    """Return steps and signs, int8 ``(models, features)``, steps adding up to 10, once each."""
    steps = [found for found in product(range(STEPS + 1), repeat=features) if sum(found) == STEPS]
    found, signs = _signed(steps, features)
    signed = (found * signs).astype(np.int8)  # +0 and −0 are one
    kept = np.sort(np.unique(signed, axis=0, return_index=True)[1])
    return found[kept], np.where(found[kept] == 0, 0, signs[kept]).astype(np.int8)


def _signed(steps: Sequence[tuple[int, ...]], features: int) -> Combined:
    each = [(one, signs) for one in steps for signs in product((1, -1), repeat=features)]
    return (
        np.array([one for one, _ in each], np.int8),
        np.array([signs for _, signs in each], np.int8),
    )
