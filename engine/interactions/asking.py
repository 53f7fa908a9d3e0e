"""What a caller may ask of interactions: which pairs, how much loss, how many permutations."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import comb, isfinite
from typing import Any

from engine.errors import InputError, ParameterError
from engine.interactions.data import Data

Pair = tuple[int, int]
Asked = Sequence[Any] | None

LEAST_REPEATS = 30
MOST_REPEATS = 10_000
# Permutations are kept for all models of a run: so many places take 0.8 GB.
MOST_PLACES = 10**8
# All pairs of up to six features; of more, as many of the strongest (our definition).
USUAL_PAIRS = 15


def check_repeats(repeats: Any, samples: int = 1) -> None:
    """Raise ``ParameterError`` if a number of permutations is none, too small or too large.

    Args:
        repeats: what was asked for.
        samples: that are permuted.
    """
    whole = isinstance(repeats, int) and not isinstance(repeats, bool)
    if not whole or not LEAST_REPEATS <= repeats <= MOST_REPEATS:
        raise ParameterError(
            f"repeats={repeats!r}: expected a whole number from {LEAST_REPEATS} to {MOST_REPEATS}; "
            "with fewer, chance decides which pairs seem to interact"
        )
    if repeats * samples > MOST_PLACES:
        raise ParameterError(
            f"repeats={repeats}: so many permutations of {samples} samples do not fit in memory; "
            f"ask for {MOST_PLACES // samples} at the most, or for fewer rows"
        )


def check_allowance(rate: Any, epsilon: Any) -> None:
    """Raise ``ParameterError`` if what the loss may rise by makes no sense."""
    for name, value in (("rate", rate), ("epsilon", epsilon)):
        if value is None and name == "epsilon":
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not isfinite(value) or value <= 0:
            raise ParameterError(f"{name}={value!r}: expected a number above 0")


def check_count(name: str, value: Any, low: int, high: int) -> None:
    """Raise ``ParameterError`` if a value is no whole number from ``low`` to ``high``."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not low <= value <= high:
        raise ParameterError(f"{name}={value!r}: expected a whole number from {low} to {high}")


def pairs_asked(data: Data, pairs: Asked) -> tuple[Pair, ...] | None:
    """Return the pairs asked for; None where the strongest are to be found first.

    Args:
        data: whose features.
        pairs: names or numbers, each ``(a, b)`` or ``"a:b"``; None for all of up to six features.

    Raises:
        InputError: no such feature, or a feature paired with itself.
    """
    features = len(data.columns)
    if pairs is None:
        return tuple(combinations(range(features), 2)) if _few(features) else None
    found = [_pair(data, one) for one in pairs]
    if not found:
        raise InputError("no pair is named; leave pairs out for the strongest")
    return tuple(dict.fromkeys(found))


def features_asked(data: Data, names: Sequence[Any], low: int, high: int) -> tuple[int, ...]:
    """Return the features asked for, each once.

    Raises:
        InputError: no such feature, one named twice, or too few or many.
    """
    found = tuple(data.find(name) for name in names)
    if len(set(found)) < len(found):
        raise InputError(f"a feature is named twice: {', '.join(map(str, names))}")
    if not low <= len(found) <= high:
        raise InputError(f"{len(found)} features are named; expected {low} to {high}")
    return found


def _few(features: int) -> bool:
    return comb(features, 2) <= USUAL_PAIRS


def _pair(data: Data, given: Any) -> Pair:
    parts = _split(data, given) if isinstance(given, str) else tuple(given)
    if len(parts) != 2:
        raise InputError(f"the pair {given!r}: write it as a:b, two features")
    i, j = sorted(data.find(part) for part in parts)
    if i == j:
        raise InputError(f"the pair {given!r}: a feature does not interact with itself")
    return i, j


def _split(data: Data, text: str) -> tuple[str, ...]:
    """Take "a:b" apart; a colon may stand in a feature's own name."""
    parts = [part.strip() for part in text.split(":")]
    ways = [(":".join(parts[:k]), ":".join(parts[k:])) for k in range(1, len(parts))]
    known = {*data.columns, *data.titles}
    return next((way for way in ways if set(way) <= known), tuple(parts))
