"""Functions and constants of a user's own module that the code of a network calls by name."""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

# What these do is told by their version.
_LIBRARIES = ("torch", "torchvision", "timm", "transformers", "numpy", "einops", "builtins")
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


def reached_from(kind: type) -> list[str]:
    """Return a line for each function and constant that a class's methods name, in their order.

    Functions are followed through the modules of their own; libraries are left alone.
    """
    found: dict[str, str] = {}
    for method in vars(kind).values():
        function = getattr(method, "__func__", method)
        if isinstance(function, FunctionType):
            _follow(function, found)
    return [f"{name} {line}" for name, line in found.items()]


def told_of(value: Any) -> str | None:
    """Return what a function, or anything callable, is; None of what is neither.

    Args:
        value: an attribute of a module: ``F.relu``, a lambda, a function of the user's own.
    """
    if isinstance(value, FunctionType):
        found: dict[str, str] = {}
        if not _of_library(value.__module__):
            _follow(value, found)
        own = "" if _of_library(value.__module__) else code_told(value.__code__)
        return f"{value.__module__}.{value.__qualname__} {own} {found}"
    if callable(value):
        name = getattr(value, "__qualname__", type(value).__qualname__)
        return f"{getattr(value, '__module__', '')}.{name}"
    return None


def code_told(code: CodeType) -> str:
    """Return what a piece of code does, whatever its file is called and where it stands in it."""
    inner = [code_told(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {inner}"


def _follow(function: FunctionType, found: dict[str, str]) -> None:
    for name in _names(function.__code__):
        value = function.__globals__.get(name)
        place = f"{function.__module__}.{name}"
        if place in found:
            continue
        if isinstance(value, FunctionType) and not _of_library(value.__module__):
            found[place] = code_told(value.__code__)
            _follow(value, found)
        elif isinstance(value, _PLAIN) and name in function.__globals__:
            found[place] = repr(value)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _of_library(module: str | None) -> bool:
    return (module or "builtins").partition(".")[0] in _LIBRARIES
