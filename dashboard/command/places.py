"""Where results are written: what cannot be is told before the work, not after it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from engine.errors import HaloscopeError


def check_places(*paths: str | None) -> None:
    """Raise ``HaloscopeError`` if one of the files cannot be written; None is none."""
    for path in paths:
        why = "" if not path else _unwritable(Path(path).absolute())
        if why:
            raise HaloscopeError(f"cannot write {path}: {why}")


def _unwritable(place: Path) -> str:
    """Say why no file can be written to a place, or nothing if one can."""
    if place.is_dir():
        return "it is a folder; name a file in it"
    if not place.parent.is_dir():
        return "no such folder"
    try:
        with tempfile.TemporaryFile(dir=place.parent):
            return ""
    except OSError as error:
        return error.strerror or str(error)
