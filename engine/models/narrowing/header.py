"""What a file says of the smaller network in it, read without torch."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

KIND = "pruned-model"
_LARGEST = 100_000_000  # bytes of a header, as safetensors itself has it


def manifest_in(source: Path | bytes) -> dict[str, Any] | None:
    """Return what a file (or its content) tells of a smaller network; None where it tells nothing.

    Args:
        source: any file. Only its header is read.
    """
    if isinstance(source, bytes):
        length = int.from_bytes(source[:8], "little")
        return _manifest(source[8 : 8 + length]) if length < len(source) else None
    try:
        stat = source.stat()
    except (OSError, ValueError):
        return None
    return _of_file(source, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=16)
def _of_file(path: Path, _changed: int, size: int) -> dict[str, Any] | None:
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            return _manifest(file.read(length)) if length < min(size, _LARGEST) else None
    except OSError:
        return None


def _manifest(header: bytes) -> dict[str, Any] | None:
    try:
        metadata = json.loads(header).get("__metadata__", {})
        if metadata.get("haloscope") != KIND:
            return None
        told = json.loads(metadata["manifest"])
    except (ValueError, KeyError, AttributeError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def arch_in(source: Path | bytes) -> str:
    """Return the architecture that a file names, "hf" where it holds its configuration, or ""."""
    told = manifest_in(source) or {}
    return str(told.get("arch", ""))
