"""What was computed for one metric, kept for the others of its family; in memory alone."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any

from engine.heads.running import Rows

_KEPT = 32


@dataclass(frozen=True)
class Shared:
    """The rows of a family, and what the work told."""

    rows: Rows
    told: dict[str, Any]


_known: OrderedDict[str, Shared] = OrderedDict()
_guard = Lock()


def find_shared(key: str) -> Shared | None:
    """Return what was computed under a key, or None."""
    with _guard:
        found = _known.get(key)
        if found is not None:
            _known.move_to_end(key)
        return found


def share(key: str, found: Shared) -> None:
    """Keep what was computed; the longest unused of more than 32 goes."""
    with _guard:
        _known[key] = found
        _known.move_to_end(key)
        while len(_known) > _KEPT:
            _known.popitem(last=False)


def forget_shared() -> None:
    """Let go of all."""
    with _guard:
        _known.clear()
