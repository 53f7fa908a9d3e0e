"""Networks from a module of the user's own, named by the user: ``module:builder``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any

from torch import nn

from engine.errors import ModelError, one_line

IS_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")

# None: whoever names a module may have it imported.
_allowed: ContextVar[frozenset[str] | None] = ContextVar("allowed", default=None)


@contextmanager
def only_from(allowed: Iterable[str]) -> Iterator[None]:
    """Inside, in this thread, networks are built from these modules alone.

    Args:
        allowed: ``module``, for builders that are defined in it or below it, or
            ``module:builder``, for that one wherever it is defined.
    """
    token = _allowed.set(frozenset(allowed))
    try:
        yield
    finally:
        _allowed.reset(token)


def on_a_page() -> bool:
    """Whether a reference was named on a page, or in a link: it reads no file by the way."""
    return _allowed.get() is not None


def check_allowed(arch: str, allowed: Iterable[str]) -> None:
    """Refuse a ``module:builder`` that is not allowed, without importing anything.

    Args:
        arch: ``module:builder``.
        allowed: as in ``only_from``.

    Raises:
        ModelError: with how to allow it.
    """
    module_name = arch.partition(":")[0]
    entries = set(allowed)
    if module_name in entries or arch in entries:
        return
    siblings = sorted(entry for entry in entries if entry.startswith(f"{module_name}:"))
    told = f" (but {', '.join(siblings)} is)" if siblings else ""
    raise ModelError(
        f"the module {module_name!r} is not on the list of those that may be imported{told}; "
        f"start Haloscope with --allow-module {module_name}"
    )


def _check_home(arch: str, builder: Any, allowed: Iterable[str]) -> None:
    """Refuse what an allowed module has only imported: ``mynet:load`` may be torch's."""
    module_name = arch.partition(":")[0]
    home = str(getattr(builder, "__module__", ""))
    if arch not in allowed and not f"{home}.".startswith(f"{module_name}."):
        raise ModelError(
            f"{arch} is not defined in that module but in {home or 'another'}; name its own module"
        )


def build_named(arch: str, **arguments: Any) -> nn.Module:
    """Call ``module:builder`` and return the network that it builds.

    Args:
        arch: a module on the Python path, and a function or class in it.
        **arguments: handed to it.

    Raises:
        ModelError: no such module or builder, it fails, or it returns no ``nn.Module``.
    """
    module_name, _, builder_name = arch.partition(":")
    if not re.fullmatch(r"[A-Za-z_][\w.]*", module_name) or not builder_name:
        raise ModelError(f"arch={arch!r} is neither a bundled model nor of the form module:builder")
    allowed = _allowed.get()
    if allowed is not None:
        check_allowed(arch, allowed)
    builder = _builder(module_name, builder_name)
    if allowed is not None:
        _check_home(arch, builder, allowed)
    try:
        built = builder(**arguments)
    except (
        Exception,
        SystemExit,
    ) as error:  # the user's own code: whatever it raises is told in one line
        raise ModelError(f"{arch} failed: {type(error).__name__}: {one_line(error)}") from error
    if not isinstance(built, nn.Module):
        raise ModelError(f"{arch} returned {type(built).__name__}, expected an nn.Module")
    return built


def _builder(module_name: str, builder_name: str) -> Any:
    try:
        found = getattr(import_module(module_name), builder_name, None)
    except ModuleNotFoundError as error:
        if error.name and module_name.startswith(error.name):
            raise ModelError(f"no module {module_name!r} on the Python path") from None
        raise ModelError(f"{module_name} needs {error.name!r}, which is not installed") from None
    except (Exception, SystemExit) as error:  # the user's own code
        told = f"{type(error).__name__}: {one_line(error)}"
        raise ModelError(f"importing {module_name} failed: {told}") from error
    if not callable(found):
        raise ModelError(f"{module_name} has no builder {builder_name!r}")
    return found
