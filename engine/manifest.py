"""The manifest: what decides a result, digested to the key under which it is known."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from engine import __version__

SCHEMA = 1


@cache
def versions() -> dict[str, str]:
    """Versions of all that computes: engine, torch, captum and numpy."""
    found = {"engine": __version__}
    for package in ("torch", "captum", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def key_of(request: dict[str, Any]) -> str:
    """Return the content key of a request: sha256 of its canonical JSON, hex.

    >>> key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})
    True
    """
    canonical = json.dumps(request, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def digest_of(*parts: bytes | memoryview) -> str:
    """Return the sha256 of some bytes, hex; each part's length is part of the digest."""
    hasher = hashlib.sha256()
    for part in parts:
        view = memoryview(part)
        hasher.update(view.nbytes.to_bytes(8, "little"))
        hasher.update(view)
    return hasher.hexdigest()
