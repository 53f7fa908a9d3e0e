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
# So many accepted steps of 0.1 from the start without a change of the loss: the feature has no
# effect. A loss that changes first and stays as it is then saturates.
STILL = 100
_MOVED = -1

# (directions, places on the grid) → what the loss is above L*, both ``(q,)``.
Rise = Callable[[np.ndarray, np.ndarray], np.ndarray]


def walk(
    rise: Rise, budgets: np.ndarray, directions: np.ndarray, *, ahead: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Search for the masks of some directions, all in one batch.

    A place is accepted while its rise is below the budget; the next budget begins where the last
    one ended.

    Args:
        rise: what the loss is above L*.
        budgets: float64 ``(k,)``, ascending; or ``(k, q)``, each direction's own.
        directions: which, int64 ``(q,)``: a feature with a sign. One may stand there several times.
        ahead: how many steps of a direction are asked at once; the places are the same.

    Returns:
        Places, int64 ``(k, q)``, and which directions have no effect, bool ``(q,)``.
    """
    count = len(directions)
    each = np.broadcast_to(budgets if budgets.ndim > 1 else budgets[:, None], (len(budgets), count))
    places = np.zeros((len(budgets), count), np.int64)
    place, budget, width, still = (np.zeros(count, np.int64) for _ in range(4))
    while True:
        active = np.flatnonzero((budget < len(budgets)) & (still < STILL))
        if not len(active):
            idle = still >= STILL
            return np.where(idle, 0, places), idle
        probes = place[active, None] + _WIDTHS[width[active], None] * np.arange(1, ahead + 1)
        risen = _asked(rise, directions[active], probes)
        going = np.ones(len(active), bool)
        for step in range(ahead):
            going &= (risen[:, step] < each[budget[active], active]) & (still[active] < STILL)
            gone = active[going]
            place[gone] = probes[going, step]
            idle = (risen[going, step] == 0) & (still[gone] >= 0)
            still[gone] = np.where(idle, still[gone] + 1, _MOVED)
        stuck = active[~going & (still[active] < STILL)]
        width[stuck] += 1
        done = stuck[width[stuck] == len(_WIDTHS)]
        places[budget[done], done] = place[done]
        budget[done] += 1
        width[done] = 0


def _asked(rise: Rise, directions: np.ndarray, probes: np.ndarray) -> np.ndarray:
    """Return the rises at places ``(q, ahead)``; infinite beyond the cap."""
    risen = np.full(probes.shape, np.inf)
    near = probes <= CAP
    if near.any():
        risen[near] = rise(np.broadcast_to(directions[:, None], probes.shape)[near], probes[near])
    return risen


__all__ = ["CAP", "PER_UNIT", "STILL", "Rise", "walk"]
