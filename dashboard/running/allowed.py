"""Which modules may be imported for a model that is named on a page.

Only those that whoever started the dashboard has named: on the command line, or in the
environment. A page, or a link to one, must never make the server run other code.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from engine.errors import HaloscopeError

MODULES = "HALOSCOPE_MODULES"
EXTRA_MODELS = "HALOSCOPE_MODELS"


def named_at_start() -> list[str]:
    """Return the references that the command line has named, each once."""
    named = os.environ.get(EXTRA_MODELS, "").split("\n")
    return list(dict.fromkeys(ref for ref in named if ref))


def allowed() -> frozenset[str]:
    """Return ``module`` and ``module:builder`` that may be imported.

    The environment names modules; a model of the command line names its own builder alone.
    """
    named = os.environ.get(MODULES, "").split(",")
    modules = {module.strip() for module in named if module.strip()}
    for ref in named_at_start():
        builder = builder_of(ref)
        if builder:
            modules.add(builder)
    return frozenset(modules)


def builders() -> list[str]:
    """Return the builders named on the command line, in alphabetical order."""
    return sorted(entry for entry in allowed() if ":" in entry)


def modules() -> list[str]:
    """Return the modules of which every builder may be used, in alphabetical order."""
    return sorted(entry for entry in allowed() if ":" not in entry)


def builder_of(ref: str) -> str:
    """Return the ``module:builder`` that a reference would import, or ""."""
    from engine.models.references import architecture_of

    try:
        found = architecture_of(ref)
    except HaloscopeError:
        return ""
    return found.name if found is not None and found.kind == "module" else ""


def check(ref: str) -> None:
    """Refuse a reference that cannot work, or that names a module which is not allowed.

    Raises:
        ModelError: in one line, with how to allow it.
    """
    from engine.models.modules import check_allowed
    from engine.models.references import check_reference

    builder = builder_of(ref)
    if builder:
        check_allowed(builder, allowed())
    check_reference(ref)


def check_arch(arch: str) -> None:
    """The same for the architecture of an upload.

    Raises:
        ModelError: as ``check``.
    """
    from engine.models import references
    from engine.models.modules import check_allowed

    builder = builder_of(arch)
    if builder:
        check_allowed(builder, allowed())
    references.check_arch(arch)


@contextmanager
def importing() -> Iterator[None]:
    """Inside, in this thread, the engine itself imports no other module."""
    from engine.models.modules import only_from

    with only_from(allowed()):
        yield
