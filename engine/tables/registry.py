"""All measures, found by looking at the modules of this package."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import Any

from engine import tables
from engine.errors import MethodError, nearest
from engine.tables.measure import Measure


@cache
def measures() -> dict[str, Measure]:
    """Return all measures by name, in alphabetical order of their titles."""
    for module in pkgutil.iter_modules(tables.__path__, f"{tables.__name__}."):
        import_module(module.name)
    found = [kind() for kind in _leaves(Measure)]
    return {measure.name: measure for measure in sorted(found, key=lambda m: m.title.lower())}


def _leaves(kind: Any) -> list[type[Measure]]:
    own = [kind] if getattr(kind, "name", None) and kind.__module__.startswith("engine.") else []
    return own + [leaf for child in kind.__subclasses__() for leaf in _leaves(child)]


def find_measure(name: str) -> Measure:
    """Return a measure by name.

    Raises:
        MethodError: there is none of that name; the nearest are told.
    """
    known = measures()
    if name not in known:
        raise MethodError(f"no measure {name!r}; {nearest(str(name), known)}")
    return known[name]
