"""All criteria of units, found by looking at the modules of their package."""

from __future__ import annotations

from functools import cache

from engine.pruning import criteria as package
from engine.pruning.scoring.criterion import Criterion
from engine.registry import found_in, one_of


@cache
def criteria() -> dict[str, Criterion]:
    """Return all criteria by name, in alphabetical order of their titles."""
    return found_in(package, Criterion)


def find_criterion(name: str) -> Criterion:
    """Return a criterion by name.

    Raises:
        MethodError: there is none of that name; the nearest are told.
    """
    return one_of(criteria(), name, "criterion")
