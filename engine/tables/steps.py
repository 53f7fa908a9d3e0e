"""Counted passes, and steps of work that ask no model."""

from __future__ import annotations

from typing import Any

from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes, Progress


class Steps(Passes):
    """Passes over a model, together with steps such as the epochs of an auto-encoder.

    Args:
        model: the model; None where none is asked.
        promised: an upper bound of the passes.
        steps: how many steps there will be; progress is told against passes and steps.
        progress: called with what is done and what is promised.
        cancel: looked at before every pass and every step.
    """

    def __init__(
        self,
        model: Any,
        promised: Cost,
        steps: int = 0,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> None:
        super().__init__(model, promised, None if progress is None else self._passed, cancel)
        self._listener = progress
        self._steps = steps
        self._taken = 0

    def step(self) -> None:
        """Note that one step is done.

        Raises:
            Cancelled: the caller asked to stop.
        """
        self.check()
        self._taken = min(self._taken + 1, self._steps)
        self._passed(min(self.used.total, self.promised.total), self.promised.total)

    def _passed(self, done: int, total: int) -> None:
        if self._listener is not None:
            self._listener(done + self._taken, total + self._steps)
