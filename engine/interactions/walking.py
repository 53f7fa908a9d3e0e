"""The search for masks as it was published (li2024exploring): step by step, slow.

Places on the grid are whole numbers j ≥ 0; j stands for |m − 1| = j · 10⁻⁴.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

PER_UNIT = 10_000
# 0.1, then a tenth of it after each failure; the fourth failure ends a budget.
_WIDTHS = np.array([1000, 100, 10, 1])
# |m − 1| goes no further than 100: the loss has saturated (our definition).
CAP = 100 * PER_UNIT
# So many accepted steps of 0.1 without a change of the loss: the feature has no effect.
STILL = 100

# (directions, places on the grid) → what the loss is above L*, both ``(q,)``.
Rise = Callable[[np.ndarray, np.ndarray], np.ndarray]


def walk(rise: Rise, budgets: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Search for the masks of some directions, all in one batch.

    A place is accepted while its rise is below the budget; the next budget begins where the last
    one ended.

    Args:
        rise: what the loss is above L*.
        budgets: float64 ``(k,)``, ascending.
        directions: which, int64 ``(q,)``: a feature with a sign.

    Returns:
        Places, int64 ``(k, q)``, and which directions have no effect, bool ``(q,)``.
    """
    count = len(directions)
    places = np.zeros((len(budgets), count), np.int64)
    place, budget, width, still = (np.zeros(count, np.int64) for _ in range(4))
    idle = np.zeros(count, bool)
    while True:
        active = np.flatnonzero((budget < len(budgets)) & ~idle)
        if not len(active):
            return np.where(idle, 0, places), idle
        probe = place[active] + _WIDTHS[width[active]]
        risen = np.full(len(active), np.inf)
        near = probe <= CAP
        if near.any():
            risen[near] = rise(directions[active[near]], probe[near])
        accepted = risen < budgets[budget[active]]
        gone, stuck = active[accepted], active[~accepted]
        place[gone] = probe[accepted]
        still[gone] = np.where(risen[accepted] == 0, still[gone] + 1, 0)
        idle[gone] = still[gone] >= STILL
        width[stuck] += 1
        done = stuck[width[stuck] == len(_WIDTHS)]
        places[budget[done], done] = place[done]
        budget[done] += 1
        width[done] = 0


__all__ = ["CAP", "PER_UNIT", "STILL", "Rise", "walk"]
