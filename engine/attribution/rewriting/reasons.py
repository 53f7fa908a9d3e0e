"""Why a network cannot be rewritten: found out once for each loaded model, on noise."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from weakref import WeakKeyDictionary

import torch

from engine.errors import MethodError, one_line
from engine.execution.chunks import is_out_of_memory
from engine.execution.passes import Passes
from engine.models.loaded import LoadedModel

# Tries a method on two prepared inputs (2, …); raises MethodError where it does not suit.
Trial = Callable[[Passes, torch.Tensor], object]


class Reasons:
    """What speaks against a method, model by model.

    Args:
        title: of the method.
        trial: what is tried.
    """

    def __init__(self, title: str, trial: Trial) -> None:
        self._title = title
        self._trial = trial
        self._known: WeakKeyDictionary[LoadedModel, str] = WeakKeyDictionary()
        self._guard = Lock()

    def against(self, model: LoadedModel) -> str | None:
        """Say in one line why the method does not suit a model, or None if it does.

        Memory that runs out speaks against nothing; that is told when the method is used.
        """
        with self._guard:
            known = self._known.get(model)
        if known is None:
            try:
                known = self._look(model)
            except Exception as error:  # the network is the user's own code
                if is_out_of_memory(error):
                    return None
                known = f"{self._title} fails on {model.card.title}: {one_line(error)}"
            with self._guard:
                self._known[model] = known
        return known or None

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
