"""Where long work keeps what is done, so that it goes on there when asked again."""

from __future__ import annotations

from typing import Protocol

from engine.results import Result


class Keeper(Protocol):
    """Somewhere to keep results, and to find them again."""

    def find(self, key: str) -> Result | None:
        """Return the result of a key, if it is kept."""
        ...

    def keep(self, result: Result) -> None:
        """Keep a result."""
        ...
