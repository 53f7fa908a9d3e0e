"""All measures, found by looking at the modules of this package."""

from __future__ import annotations

from functools import cache

from engine import tables
from engine.registry import found_in, one_of
from engine.tables.measure import Measure


@cache
def measures() -> dict[str, Measure]:
    """Return all measures by name, in alphabetical order of their titles."""
    return found_in(tables, Measure)


def find_measure(name: str) -> Measure:
    """Return a measure by name.

    Raises:
        MethodError: there is none of that name; the nearest are told.
    """
    return one_of(measures(), name, "measure")
