"""The same search in far fewer passes: brackets that close on each budget at once.

It finds the masks of ``walking`` wherever the loss falls at most once and then rises along the
coordinate (the published search needs it to rise): there every budget has one last place below
it, and any search that closes on it ends there. Where the places asked show anything else, the
slow search answers, and it is counted.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.interactions.walking import CAP, PER_UNIT, STILL, Rise, walk

# Asked first; a feature without effect shows by the 100 steps of 0.1.
_NEAR = (1, 10, 100, 1000, 2000)
_NO_EFFECT = STILL * PER_UNIT // 10
_EVERY = [step * PER_UNIT // 10 for step in range(1, STILL + 1)]
# Places at even distances that are asked only to see whether the loss rises all the way.
_CHECKS = 16
# After so many rounds of interpolation the bracket is halved instead: steps and plateaus.
_PATIENCE = 3


@dataclass
class _Seen:
    """What is known of one direction: places asked, ascending, and their rises."""

    places: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))
    rises: np.ndarray = field(default_factory=lambda: np.zeros(1))

    def add(self, places: np.ndarray, rises: np.ndarray) -> None:
        found, first = np.unique(np.concatenate([self.places, places]), return_index=True)
        self.places, self.rises = found, np.concatenate([self.rises, rises])[first]

    @property
    def one_valley(self) -> bool:
        """Whether the rises fall at most once and then rise."""
        steps, lowest = np.diff(self.rises), int(self.rises.argmin())
        return bool((steps[:lowest] <= 0).all() and (steps[lowest:] >= 0).all())

    @property
    def idle(self) -> bool:
        """Whether the loss does not change over a hundred steps of 0.1."""
        return bool(
            (self.rises[self.places <= _NO_EFFECT] == 0).all() and self.places[-1] >= _NO_EFFECT
        )

    def bracket(self, budget: float) -> tuple[int, int]:
        """Return where in ``places`` the last rise below a budget is, and the next place."""
        below = np.flatnonzero(self.rises < budget)
        last = int(below[-1]) if len(below) else 0
        return last, last + 1

    def last_below(self, budget: float) -> int:
        """Return the last place below a budget; 0 if there is none."""
        return int(self.places[self.bracket(budget)[0]])

    def probes(self, budget: float, rounds: int) -> list[int]:
        """Return places to ask next; none when the bracket is closed."""
        low, high = self.bracket(budget)
        if high >= len(self.places):
            return []
        a, b = int(self.places[low]), int(self.places[high])
        if b - a <= 1:
            return []
        if rounds > _PATIENCE:
            return [(a + b) // 2]
        # The root of the rise is nearly straight where the loss is nearly a parabola.
        left, right, wanted = np.sqrt(np.maximum([*self.rises[[low, high]], budget], 0))
        share = (wanted - left) / (right - left) if right > left else 0.5
        guess = int(np.clip(a + share * (b - a), a + 1, b - 1))
        return [guess, min(guess + 1, b - 1)]


def bracket(
    rise: Rise, budgets: np.ndarray, directions: np.ndarray, *, ahead: int = 1
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Search for the masks of some directions.

    Args:
        rise, directions, ahead: as in ``walk``.
        budgets: float64 ``(rates, k)``, each row ascending; every row is a search of its own.

    Returns:
        Places, int64 ``(rates, k, q)``; which directions have no effect, bool ``(q,)``; which
        the slow search answered, bool ``(q,)``.
    """
    seen = [_Seen() for _ in directions]
    _look_far(rise, seen, directions, float(budgets.max()))
    # Those that seem to have none are looked at as the slow search does: each step of 0.1.
    _ask(rise, seen, directions, [_EVERY if one.idle else [] for one in seen])
    _look_far(rise, seen, directions, float(budgets.max()))
    _ask(rise, seen, directions, [_checks(one, float(budgets.max())) for one in seen])
    levels = np.unique(budgets)
    rounds = 0
    while True:
        wanted = [
            [p for t in levels for p in one.probes(float(t), rounds)]
            if one.one_valley and not one.idle
            else []
            for one in seen
        ]
        if not any(wanted):
            break
        _ask(rise, seen, directions, wanted)
        rounds += 1
    slow = np.array([not one.one_valley for one in seen], bool)
    idle = np.array([one.idle for one in seen], bool) & ~slow
    places = np.array([[[one.last_below(t) for one in seen] for t in row] for row in budgets])
    if slow.any():
        places[:, :, slow], still = _walked(rise, budgets, directions[slow], ahead)
        idle[slow] = still
    return np.where(idle, 0, places), idle, slow


def _walked(
    rise: Rise, budgets: np.ndarray, directions: np.ndarray, ahead: int
) -> tuple[np.ndarray, np.ndarray]:
    """Search step by step, all rates in one batch; ``(rates, k, q)`` and ``(q,)``."""
    rates, count = len(budgets), len(directions)
    each = np.repeat(budgets.T, count, axis=1)  # (k, rates · q)
    places, still = walk(rise, each, np.tile(directions, rates), ahead=ahead)
    found = places.reshape(-1, rates, count).swapaxes(0, 1)
    return found, still.reshape(rates, count)[-1]


def _look_far(rise: Rise, seen: list[_Seen], directions: np.ndarray, highest: float) -> None:
    """Ask ever further places until the highest budget is passed, or there is no further."""
    _ask(rise, seen, directions, [list(_NEAR)] * len(seen))
    while True:
        wanted = [_further(one, highest) for one in seen]
        if not any(wanted):
            return
        _ask(rise, seen, directions, wanted)


def _further(one: _Seen, highest: float) -> list[int]:
    last = int(one.places[-1])
    if one.rises[-1] >= highest or last >= CAP or one.idle:
        return []
    return [_NO_EFFECT if last < _NO_EFFECT < 2 * last else min(2 * last, CAP)]


def _checks(one: _Seen, highest: float) -> list[int]:
    if one.idle:
        return []
    end = int(one.places[min(one.bracket(highest)[1], len(one.places) - 1)])
    return sorted({end * k // (_CHECKS + 1) for k in range(1, _CHECKS + 1)} - {0})


def _ask(rise: Rise, seen: list[_Seen], directions: np.ndarray, wanted: list[list[int]]) -> None:
    """Ask all wanted places of all directions in one batch."""
    new = [sorted(set(w) - set(one.places.tolist())) for one, w in zip(seen, wanted, strict=True)]
    counts = [len(places) for places in new]
    if not sum(counts):
        return
    flat = np.array([place for places in new for place in places], np.int64)
    rises = rise(np.repeat(directions, counts), flat)
    for one, places, part in zip(seen, new, np.split(rises, np.cumsum(counts)[:-1]), strict=True):
        if places:
            one.add(np.array(places, np.int64), part)


__all__ = ["bracket"]
