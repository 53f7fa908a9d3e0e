"""Options that go on to a library's builder: plain values, and nothing that names a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.errors import ModelError

_OF_PLACES = ("/", "\\", ":")


def check_plain(ref: str, options: Mapping[str, Any], refused: Iterable[str] = ()) -> None:
    """Refuse options with which a library would read other files, or fetch from elsewhere.

    Args:
        ref: as the user calls the model.
        options: by name.
        refused: names that are refused whatever their value is.

    Raises:
        ModelError: in one line that names the option.
    """
    never = frozenset(refused)
    for name, value in options.items():
        if name in never or name.startswith("_"):
            raise ModelError(f"{ref}: the option {name!r} does not go through; leave it out")
        if not _is_plain(value):
            raise ModelError(
                f"{ref}: the option {name!r} takes a number, true or false, a word or a tuple of "
                "these; no paths, addresses or mappings"
            )


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(one) for one in value)
    if isinstance(value, str):
        return not any(mark in value for mark in _OF_PLACES)
    return value is None or isinstance(value, bool | int | float)
