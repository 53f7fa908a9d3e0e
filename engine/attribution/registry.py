"""All methods, found by looking at the modules of this package."""

from __future__ import annotations

from functools import cache

from engine import attribution
from engine.attribution.method import Method
from engine.models.loaded import LoadedModel
from engine.registry import found_in, one_of


@cache
def methods() -> dict[str, Method]:
    """Return all methods by name, in alphabetical order of their titles."""
    return found_in(attribution, Method)


def find_method(name: str) -> Method:
    """Return a method by name.

    Raises:
        MethodError: there is none of that name; the nearest are told.
    """
    return one_of(methods(), name, "method")


def methods_for(model: LoadedModel) -> list[Method]:
    """Return the methods that suit a model, the one to show first in front."""
    suited = [method for method in methods().values() if method.refusal(model) is None]
    return sorted(suited, key=lambda method: model.family not in method.first_for)
