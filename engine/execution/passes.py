"""Counted passes: every use of a model goes through here, so it can be watched and stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import torch

from engine.errors import Cancelled, HaloscopeError, ModelError, one_line
from engine.execution.cost import Cost
from engine.execution.exhaustion import is_out_of_memory
from engine.models.loaded import LoadedModel

Progress = Callable[[int, int], None]
_NOTHING = Cost()


class Cancel(Protocol):
    """Anything with ``is_set``: a ``threading.Event``, for one."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...


class Passes:
    """Sends samples through a model, counts them, reports progress and stops when asked.

    Args:
        model: the model.
        promised: what the work may cost; progress is told against its total.
        progress: called with passes done and passes promised; may raise.
        cancel: looked at before every pass.
        finite: refuse NaN and infinity; False: the caller looks for them.
    """

    def __init__(
        self,
        model: LoadedModel,
        promised: Cost = _NOTHING,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        *,
        finite: bool = True,
    ) -> None:
        self.model = model
        self.promised = promised
        self.used = Cost()
        self.cancel = cancel
        self._progress = progress
        self._finite = finite
        self._guard = threading.Lock()  # backward hooks may run in autograd's own thread

    def forward(self, batch: torch.Tensor, rows: int | None = None) -> torch.Tensor:
        """One pass: ``(n, …)`` → logits ``(n, classes)``; its backward is counted as well.

        Args:
            batch: samples.
            rows: how many come out, where something inside makes several of each; each counts
                as a sample.

        Raises:
            Cancelled: the caller asked to stop.
            ModelError: the network fails, returns NaN or infinity, or has no gradient where
                one is asked for.
        """
        self.check()
        logits = self._asked(batch, rows)
        if self._finite and not logits.isfinite().all():
            raise not_finite(self.model)
        count = len(logits)
        self._count(Cost(forward=count))
        if logits.requires_grad:
            logits.register_hook(lambda _gradient: self._count(Cost(backward=count)))
        return logits

    def _asked(self, batch: torch.Tensor, rows: int | None) -> torch.Tensor:
        title = self.model.card.title
        try:
            logits = self.model.forward(batch, rows)
        except HaloscopeError:
            raise
        except Exception as error:  # the network is the user's own code
            if is_out_of_memory(error):
                raise
            told = f"{type(error).__name__}: {one_line(error)}"
            shape = tuple(batch.shape)
            raise ModelError(f"{title} failed in a pass of shape {shape}: {told}") from error
        if batch.requires_grad and torch.is_grad_enabled() and not logits.requires_grad:
            raise ModelError(
                f"{title} has no gradient: its forward cuts it off (no_grad, detach, rounding …); "
                "use occlusion, rise or feature-ablation"
            )
        return logits

    @contextmanager
    def instead(self, model: LoadedModel) -> Iterator[None]:
        """Send what is asked through another form of the model meanwhile, a part of it, say."""
        own, self.model = self.model, model
        try:
            yield
        finally:
            self.model = own

    def check(self) -> None:
        """Raise ``Cancelled`` if the caller asked to stop."""
        if self.cancel is not None and self.cancel.is_set():
            raise Cancelled("cancelled")

    def rewind(self, to: Cost) -> None:
        """Forget passes whose results were thrown away (memory ran out on the way)."""
        self.used = to

    def report(self, done: int, _total: int) -> None:
        """Tell progress of a part that counts its own passes, as its ``progress``."""
        if self._progress is not None:
            done += self.used.total
            self._progress(min(done, self.promised.total), self.promised.total)

    def add(self, cost: Cost) -> None:
        """Count passes of such a part, when it is done."""
        self._count(cost)

    def _count(self, cost: Cost) -> None:
        with self._guard:
            self.used = self.used + cost
        if self._progress is not None:
            self._progress(min(self.used.total, self.promised.total), self.promised.total)


def not_finite(model: LoadedModel) -> ModelError:
    """Return what to raise when a network returns NaN or infinity."""
    return ModelError(
        f"{model.card.title} returns values that are not finite (NaN or infinity) for what it is "
        "asked; look at its weights and its input_spec"
    )
