"""All methods, found by looking at the modules of this package."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import Any

from engine import attribution
from engine.attribution.method import Method
from engine.errors import MethodError, nearest
from engine.models.loaded import LoadedModel


@cache
def methods() -> dict[str, Method]:
    """Return all methods by name, in alphabetical order of their titles."""
    for module in pkgutil.iter_modules(attribution.__path__, f"{attribution.__name__}."):
        import_module(module.name)
    found = [kind() for kind in _leaves(Method)]
    return {method.name: method for method in sorted(found, key=lambda m: m.title.lower())}


def _leaves(kind: Any) -> list[type[Method]]:
    own = [kind] if getattr(kind, "name", None) and kind.__module__.startswith("engine.") else []
    return own + [leaf for child in kind.__subclasses__() for leaf in _leaves(child)]


def find_method(name: str) -> Method:
    """Return a method by name.

    Raises:
        MethodError: there is none of that name; the nearest are told.
    """
    known = methods()
    if name not in known:
        raise MethodError(f"no method {name!r}; {nearest(str(name), known)}")
    return known[name]


def methods_for(model: LoadedModel) -> list[Method]:
    """Return the methods that suit a model, the one to show first in front."""
    suited = [method for method in methods().values() if method.refusal(model) is None]
    return sorted(suited, key=lambda method: model.family not in method.first_for)
