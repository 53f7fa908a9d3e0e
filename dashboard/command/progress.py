"""Progress on the terminal."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self


class Progress:
    """A line on the terminal for work that takes longer than a moment; gone when it ends.

    Args:
        title: what is being computed.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._started = time.monotonic()
        self._told = 0.0
        self._shown = False

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._shown:
            print(f"\r{'':<70}\r", end="", file=sys.stderr, flush=True)

    def __call__(self, done: int, total: int) -> None:
        """Tell how far the work is: passes done, and passes in all."""
        now = time.monotonic()
        if not sys.stderr.isatty() or now - self._started < 1 or now - self._told < 0.2:
            return
        self._told = now
        self._shown = True
        left = (now - self._started) * (total - done) / max(done, 1)
        line = f"{self._title}: {done} of {total} passes, {left:.0f} s left"
        print(f"\r{line:<70}", end="", file=sys.stderr, flush=True)
