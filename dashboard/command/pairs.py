"""``name=value`` on the command line."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import ParameterError


def pairs(given: Sequence[str], option: str) -> dict[str, str]:
    """Take ``name=value`` texts apart.

    Raises:
        ParameterError: one is not of that form; the option is told.
    """
    found = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise ParameterError(f"{option} {text!r}: write it as name=value")
        found[name.strip()] = value.strip()
    return found
