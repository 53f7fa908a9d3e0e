"""How long passes take on this machine: learned from those that ran."""

from __future__ import annotations

import threading

from engine.execution.cost import Cost

# A backward pass takes about twice a forward one (two products per weight instead of one).
_BACKWARD_RATIO = 2.0
_MEMORY = 0.5
# So many passes and more go through in batches, and each takes less than one by itself.
_MANY = 32


class Pace:
    """Seconds per forward pass of each model, a running mean, safe to share.

    Learned of few passes and of many apart, for many are batched; where only the one is known,
    it tells of the other too. The first piece of work with a model is left out: it pays for
    imports and cold caches.
    """

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, bool], float] = {}
        self._warm: set[str] = set()
        self._lock = threading.Lock()

    def learn(self, digest: str, used: Cost, seconds: float) -> None:
        """Take a finished piece of work into account."""
        units = _units(used)
        if units <= 0 or seconds <= 0:
            return
        with self._lock:
            if digest not in self._warm:
                self._warm.add(digest)
                return
            known = self._seconds.get((digest, units >= _MANY))
            fresh = seconds / units
            self._seconds[digest, units >= _MANY] = (
                fresh if known is None else _MEMORY * known + (1 - _MEMORY) * fresh
            )

    def seconds(self, digest: str, cost: Cost) -> float | None:
        """Return the estimate for a cost, or None before anything was learned."""
        units = _units(cost)
        many = units >= _MANY
        with self._lock:
            known = self._seconds.get((digest, many), self._seconds.get((digest, not many)))
        return None if known is None else known * units


def _units(cost: Cost) -> float:
    return cost.forward + _BACKWARD_RATIO * cost.backward


def seconds_told(seconds: float) -> str:
    """Say a duration as a person would.

    >>> [seconds_told(s) for s in (0.2, 1.84, 14.2, 95, 4000)]
    ['under 1 s', 'about 2 s', 'about 14 s', 'about 1.6 min', 'about 1.1 h']
    """
    if seconds < 0.75:
        return "under 1 s"
    if seconds < 90:
        return f"about {seconds:.0f} s"
    if seconds < 3600:
        return f"about {seconds / 60:.1f} min"
    return f"about {seconds / 3600:.1f} h"
