"""Why something does not suit a network: found out once for each loaded model, on noise."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import ClassVar, Protocol
from weakref import WeakKeyDictionary

import torch

from engine.errors import MethodError, OutOfMemory, one_line
from engine.execution.exhaustion import is_out_of_memory
from engine.execution.passes import Passes
from engine.execution.verdicts import kept_verdict
from engine.models.loaded import LoadedModel


class Tried(Protocol):
    """What is tried: a method, or a fill."""

    name: ClassVar[str]
    title: ClassVar[str]


# Tries a method on two prepared inputs (2, …); raises MethodError where it does not suit.
Trial = Callable[[Passes, torch.Tensor], object]


class Reasons:
    """What speaks against a method or a fill, model by model.

    Args:
        method: which one.
        trial: what is tried.

    Attributes:
        every: one of each that has a trial, by its name.
    """

    every: ClassVar[dict[str, Reasons]] = {}

    def __init__(self, method: type[Tried], trial: Trial) -> None:
        self._method = method
        self._trial = trial
        self.every[method.name] = self
        self._known: WeakKeyDictionary[LoadedModel, str] = WeakKeyDictionary()
        self._guard = Lock()

    def against(self, model: LoadedModel) -> str | None:
        """Say in one line why it does not suit a model, or None if it does.

        Memory that runs out speaks against nothing; that is told when the method is used.
        """
        with self._guard:
            known = self._known.get(model)
        if known is None:
            known = kept_verdict(model.digest, self._method.name)
        if known is None:
            try:
                known = self.tried(model)
            except OutOfMemory:
                return None
        with self._guard:
            self._known[model] = known
        return known or None

    def tried(self, model: LoadedModel) -> str:
        """Return what the trial comes to: the reason against it, or "".

        Raises:
            OutOfMemory: two samples at a time do not fit.
        """
        try:
            return self._look(model)
        except Exception as error:  # the network is the user's own code
            if is_out_of_memory(error):
                raise OutOfMemory("the trial does not fit") from None
            return f"{self._method.title} fails on {model.card.title}: {one_line(error)}"

    def _look(self, model: LoadedModel) -> str:
        generator = torch.Generator().manual_seed(0)
        noise = torch.randn((2, *model.spec.shape), generator=generator)
        weights = next(model.module.parameters(), noise)
        try:
            with torch.enable_grad():
                self._trial(Passes(model), noise.to(model.device, weights.dtype))
        except MethodError as error:
            return str(error)
        return ""
