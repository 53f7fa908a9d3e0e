"""Models being loaded, each on a thread of its own: one that hangs holds up nobody."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from engine.execution.jobs import Job


class Load:
    """A model on its way.

    Attributes:
        title: what is loaded, for people.
        started: when, on the monotonic clock.
    """

    def __init__(self, title: str, work: Callable[[], Any]) -> None:
        self.title = title
        self.started = time.monotonic()
        # A download cannot be stopped half-way: whoever gives up lets go of this job, and what
        # it returns is dropped with it.
        self._job = Job("", title, lambda _progress, _cancel: work())
        threading.Thread(target=self._job.run, name="haloscope-load", daemon=True).start()

    @property
    def active(self) -> bool:
        """Whether it goes on."""
        return self._job.active

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self.started

    @property
    def result(self) -> Any:
        """What the work returned; None before, and where it failed."""
        return self._job.result

    @property
    def error(self) -> str | None:
        """What went wrong, one line."""
        return self._job.error

    def wait(self, timeout: float) -> bool:
        """Wait for the end; return whether it came."""
        return self._job.wait(timeout)
