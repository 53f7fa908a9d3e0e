"""What is found by looking at the modules of a package: methods, metrics, measures, generators."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar

from engine.errors import MethodError, nearest

T = TypeVar("T")


def found_in(package: ModuleType, base: Any) -> dict[str, Any]:
    """Return one of each named class below ``base`` in a package, by name, in order of title."""
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        import_module(module.name)
    found = [kind() for kind in _leaves(base)]
    return {one.name: one for one in sorted(found, key=lambda one: one.title.lower())}


def one_of(known: Mapping[str, T], name: str, kind: str) -> T:
    """Return one of what is known by name.

    Raises:
        MethodError: there is none of that name; its kind and the nearest are told.
    """
    if name not in known:
        raise MethodError(f"no {kind} {name!r}; {nearest(str(name), known)}")
    return known[name]


def _leaves(kind: Any) -> list[Any]:
    own = [kind] if getattr(kind, "name", None) and kind.__module__.startswith("engine.") else []
    return own + [leaf for child in kind.__subclasses__() for leaf in _leaves(child)]
