"""Passes of several copies of a model, told as one."""

from __future__ import annotations

from engine.errors import Cancelled
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes, Progress
from engine.models.loaded import LoadedModel


class Tally:
    """Counts together what goes through a model and through those that come after it.

    Attributes:
        promised: how many passes there will be, as far as is known.

    Args:
        usual: how many there are as a rule: promised at first.
        most: an upper bound, promised once there are more than that.
        progress: called with passes done and promised.
        cancel: looked at before every pass.
    """

    def __init__(
        self, usual: int, most: int, progress: Progress | None, cancel: Cancel | None
    ) -> None:
        self.promised = min(usual, most)
        self._most = most
        self._progress = progress
        self._cancel = cancel
        self._each: list[Passes] = []

    def passes(self, model: LoadedModel) -> Passes:
        """Return counted passes over one more model; values that are not finite come through."""
        told = None if self._progress is None else self._told
        self._each.append(Passes(model, Cost(self._most), told, self._cancel, finite=False))
        return self._each[-1]

    @property
    def used(self) -> int:
        """Passes so far."""
        return sum(one.used.forward for one in self._each)

    def expect(self, more: int) -> None:
        """Say how many passes are left."""
        self.promised = self.used + more

    def check(self) -> None:
        """Raise ``Cancelled`` if the caller asked to stop."""
        if self._cancel is not None and self._cancel.is_set():
            raise Cancelled("cancelled")

    def _told(self, _done: int, _total: int) -> None:
        if self.used > self.promised:
            self.promised = max(self.promised, self._most)
        if self._progress is not None:
            self._progress(min(self.used, self.promised), self.promised)
