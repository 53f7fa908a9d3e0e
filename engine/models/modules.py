"""Networks from a module of the user's own, named by the user: ``module:builder``."""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

from torch import nn

from engine.errors import ModelError, one_line

IS_MODULE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


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
    builder = _builder(module_name, builder_name)
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
