"""Which units go: from scores and a ratio to what stays of each layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_DOWN, Decimal
from typing import Literal, get_args

import numpy as np

from engine.errors import ParameterError, nearest
from engine.pruning.units import Group, Groups

Scope = Literal["uniform", "global", "standardised"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


def choose(
    scores: Mapping[str, np.ndarray],
    groups: Groups,
    ratio: float,
    scope: Scope = "uniform",
    overrides: Mapping[str, float] | None = None,
) -> dict[str, np.ndarray]:
    """Choose the units that stay.

    The lowest scores go first; of equal ones the unit that comes first. Of every group at least
    one unit stays. Groups without scores stay whole.

    Args:
        scores: of each group float64 ``(size,)``.
        groups: all units.
        ratio: share of units that goes, 0 to 1, rounded to whole units, a half down. "uniform":
            of each group; else of all units of groups that have scores and no ratio of their own.
        scope: "uniform", every group loses the same share; "global", scores of all groups are
            put in one order; "standardised", the same after each group's scores were brought to
            mean 0 and standard deviation 1.
        overrides: a ratio of its own for some groups, by name.

    Returns:
        Of every group bool ``(size,)``, True = stays.

    Raises:
        ParameterError: a ratio outside 0 to 1, an unknown scope or group, or scores that are not
            finite or of another number.
    """
    own = {} if overrides is None else dict(overrides)
    _check(scores, groups, ratio, scope, own)
    judged = [group for group in groups.groups if group.name in scores]
    alone = [group for group in judged if scope == "uniform" or group.name in own]
    together = [group for group in judged if group not in alone]
    kept = groups.everything()
    for group in alone:
        gone = rounded(own.get(group.name, ratio), group.size) // group.multiple
        for lot in _lots(group, scores[group.name])[:gone]:
            kept[group.name][lot] = False
    left = rounded(ratio, sum(group.size for group in together))
    for group, lot in _in_one_order(together, scores, scope == "standardised"):
        left -= len(lot)
        if left < 0:
            break
        kept[group.name][lot] = False
    return kept


def rounded(ratio: float, size: int) -> int:
    """Return a share of units as a whole number, a half rounded down: in doubt a unit stays.

    >>> rounded(0.5, 5), rounded(0.5, 6), rounded(0.35, 10)
    (2, 3, 3)
    """
    exact = Decimal(str(float(ratio))) * size  # as written: 0.35 × 10 is a half
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_DOWN))


def standardised(scores: np.ndarray) -> np.ndarray:
    """Return scores brought to mean 0 and standard deviation 1; zeros where all are the same."""
    spread = scores.std()
    # Equal numbers have a mean that rounding may put a little beside them.
    same = spread <= 1e-12 * np.abs(scores).max(initial=0)
    return np.zeros(len(scores)) if same else np.asarray((scores - scores.mean()) / spread)


def _lots(group: Group, scores: np.ndarray) -> list[np.ndarray]:
    """Return what can go of a group, in the order in which it goes: the best lot never does."""
    order = np.argsort(scores, kind="stable")
    size = group.multiple
    whole = [order[start : start + size] for start in range(0, len(order) - size, size)]
    return [lot for lot in whole if len(lot) == size]


def _in_one_order(
    together: Sequence[Group], scores: Mapping[str, np.ndarray], standard: bool
) -> list[tuple[Group, np.ndarray]]:
    """Return what can go of several groups in one order; of equal scores the first group's."""
    found = []
    for group in together:
        values = standardised(scores[group.name]) if standard else scores[group.name]
        # In the order of the scores as given: brought to one scale, near ones may become equal.
        found += [
            (float(values[lot].mean()), group, lot) for lot in _lots(group, scores[group.name])
        ]
    found.sort(key=lambda one: one[0])  # stable
    return [(group, lot) for _, group, lot in found]


def _check(
    scores: Mapping[str, np.ndarray],
    groups: Groups,
    ratio: float,
    scope: str,
    overrides: Mapping[str, float],
) -> None:
    if scope not in SCOPES:
        raise ParameterError(f"no scope {scope!r}; {nearest(str(scope), SCOPES)}")
    sizes = {group.name: group.size for group in groups.groups}
    for what, share in {"ratio": ratio, **overrides}.items():
        if not 0 <= share <= 1:
            raise ParameterError(f"{what}={share}: a share of units lies between 0 and 1")
    for name in [*overrides, *scores]:
        if name not in sizes:
            told = groups.refused.get(name) or nearest(name, sizes)
            raise ParameterError(f"no group of units {name!r}; {told}")
    for name in overrides:
        if name not in scores:
            raise ParameterError(f"{name} has a ratio of its own, but no scores: it stays whole")
    for name, values in scores.items():
        if values.shape != (sizes[name],):
            raise ParameterError(f"{name} has {sizes[name]} units, but {values.size} scores")
        if not np.isfinite(values).all():
            raise ParameterError(f"{name} has scores that are not finite")
