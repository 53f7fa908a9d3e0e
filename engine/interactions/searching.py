"""Masks that spend a part of ε: every feature, up and down, several ε at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.interaction_results import (
    NO_EFFECT,
    NOT_MASKABLE,
    NOT_REACHABLE,
    REACHED,
    STEPS,
)
from engine.interactions.bracketing import bracket
from engine.interactions.walking import CAP, PER_UNIT, walk
from engine.interactions.world import World

# Losses that differ by less than this share of L* are the same (our definition): rounding. Where L*
# is next to nothing, a hundredth of ε stands for it.
_NOISE = 1e-7
_LEAST = 0.01
# Stands for a loss that is not finite: more than any budget, and no more than itself.
_ENDLESS = 1e300


@dataclass(frozen=True, eq=False)
class Found:
    """What a search found, as in ``Interactions``.

    Attributes:
        masks, losses: float64 ``(rates, 11, features, 2)``.
        status: uint8, same shape.
        slow: how many directions the slow search answered.
        asked: how many masked models were asked.
    """

    masks: np.ndarray
    losses: np.ndarray
    status: np.ndarray
    slow: int
    asked: int


def search(world: World, base: float, epsilons: np.ndarray, *, slow: bool = False) -> Found:
    """Find the masks of every feature, direction and budget; all directions are one batch.

    Args:
        world: model and data.
        base: L*.
        epsilons: ``(rates,)``, ascending; each has a search of its own.
        slow: search as it was published, step by step, and not by closing brackets.
    """
    features = world.features
    rise = _Rises(world, base, _NOISE * max(base, _LEAST * float(epsilons[-1])))
    budgets = np.asarray(epsilons)[:, None] * np.arange(STEPS + 1) / STEPS  # (rates, 11)
    directions = np.flatnonzero(np.repeat(world.maskable, 2))
    if slow:
        walked = [walk(rise, row, directions) for row in budgets]
        places = np.stack([found for found, _ in walked])
        idle, by_walking = walked[-1][1], len(directions)
    else:
        places, idle, walking = bracket(rise, budgets, directions, ahead=world.ahead)
        by_walking = int(walking.sum())
    ended = (places == CAP) | rise.endless(directions, places + 1)
    status = np.where(ended, NOT_REACHABLE, REACHED)
    status = np.where(idle, NO_EFFECT, status)
    masks = np.ones((len(budgets), STEPS + 1, 2 * features))
    masks[:, :, directions] = _mask(directions, places)
    every = np.full(masks.shape, NOT_MASKABLE, np.uint8)
    every[:, :, directions] = status
    shape = (len(budgets), STEPS + 1, features, 2)
    masks = masks.reshape(shape)
    return Found(masks, _losses(world, masks), every.reshape(shape), by_walking, len(rise.known))


class _Rises:
    """What losses are above L*, each asked once only: searches of several ε cross their ways.

    Attributes:
        known: rises by direction and place.
    """

    def __init__(self, world: World, base: float, noise: float) -> None:
        self._world = world
        self._base = base
        self._noise = noise
        self.known: dict[tuple[int, int], float] = {}

    def __call__(self, directions: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Return the rises at some places of some directions, ``(q,)``."""
        asked = list(zip(directions.tolist(), places.tolist(), strict=True))
        new = list(dict.fromkeys(one for one in asked if one not in self.known))
        if new:
            there, far = np.array(new, np.int64).T
            masks = np.ones((len(new), self._world.features))
            masks[np.arange(len(new)), there // 2] = _mask(there, far)
            risen = np.minimum(self._world.losses(masks) - self._base, _ENDLESS)
            risen = np.where(np.abs(risen) <= self._noise, 0.0, risen)
            self.known.update(zip(new, risen.tolist(), strict=True))
        return np.array([self.known[one] for one in asked])

    def endless(self, directions: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Say where a loss is known not to be finite, bool; places are ``(…, directions)``."""
        each = np.broadcast_to(directions, places.shape)
        asked = zip(each.ravel().tolist(), places.ravel().tolist(), strict=True)
        told = [self.known.get(one, 0.0) >= _ENDLESS for one in asked]
        return np.array(told, bool).reshape(places.shape)


def _mask(directions: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return m for places of directions: even directions go up, odd ones down."""
    return 1 + np.where(directions % 2, -1, 1) * places / PER_UNIT


def _losses(world: World, masks: np.ndarray) -> np.ndarray:
    """Return the loss of every mask by itself, same shape."""
    flat = masks.reshape(-1, *masks.shape[2:])  # (rates · 11, features, 2)
    whole = np.ones((*flat.shape, world.features))
    for feature in range(world.features):
        whole[:, feature, :, feature] = flat[:, feature]
    return losses_once(world, whole.reshape(-1, world.features)).reshape(masks.shape)


def losses_once(world: World, masks: np.ndarray) -> np.ndarray:
    """Return the losses of masked models ``(k, features)``, equal ones asked once."""
    distinct, where = np.unique(masks, axis=0, return_inverse=True)
    return np.asarray(world.losses(distinct)[where.reshape(-1)])


__all__ = ["Found", "losses_once", "search"]
