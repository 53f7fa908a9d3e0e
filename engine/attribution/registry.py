"""All methods, found by looking at the modules of this package."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar

from engine import attribution
from engine.attribution.method import Method
from engine.errors import MethodError, nearest
from engine.models.loaded import LoadedModel

T = TypeVar("T")


@cache
def methods() -> dict[str, Method]:
    """Return all methods by name, in alphabetical order of their titles."""
    return found_in(attribution, Method)


def found_in(package: ModuleType, base: Any) -> dict[str, Any]:
    """Return one of each named class below ``base`` in a package, by name, in order of title."""
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        import_module(module.name)
    found = [kind() for kind in _leaves(base)]
    return {one.name: one for one in sorted(found, key=lambda one: one.title.lower())}


def _leaves(kind: Any) -> list[Any]:
    own = [kind] if getattr(kind, "name", None) and kind.__module__.startswith("engine.") else []
    return own + [leaf for child in kind.__subclasses__() for leaf in _leaves(child)]


def find_method(name: str) -> Method:
    """Return a method by name.

    Raises:
        MethodError: there is none of that name; the nearest are told.
    """
    return one_of(methods(), name, "method")


def one_of(known: Mapping[str, T], name: str, kind: str) -> T:
    """Return one of what is known by name.

    Raises:
        MethodError: there is none of that name; its kind and the nearest are told.
    """
    if name not in known:
        raise MethodError(f"no {kind} {name!r}; {nearest(str(name), known)}")
    return known[name]


def methods_for(model: LoadedModel) -> list[Method]:
    """Return the methods that suit a model, the one to show first in front."""
    suited = [method for method in methods().values() if method.refusal(model) is None]
    return sorted(suited, key=lambda method: model.family not in method.first_for)
