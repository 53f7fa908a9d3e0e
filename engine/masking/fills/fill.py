"""What a fill is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch

from engine.errors import MethodError
from engine.models.loaded import LoadedModel

Forward = Callable[[torch.Tensor], torch.Tensor]


class Fill(ABC):
    """One way of hiding.

    A fill may do more than paint: it gets the forward pass and the masks, and returns
    outputs, so that hiding inside the network fits the same interface.

    Attributes:
        name, title: as ``find_fill`` and people call it.
        summary: one line on what stands where an input is hidden.
        paper: key in the bibliography, or "".
        shares: whether masks may hold shares in [0, 1]; else they hide or keep.
        seeded: whether something of it is drawn.
        inside: whether it hides inside the network, so that nothing is painted on the input.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str] = ""
    paper: ClassVar[str] = ""
    shares: ClassVar[bool] = False
    seeded: ClassVar[bool] = False
    inside: ClassVar[bool] = False

    def refusal(self, model: LoadedModel) -> str:
        """Say in one line why it does not suit a model; nothing if it does."""
        return ""

    def drawn_from(self, seed: int) -> Fill:
        """Return the same fill with what it draws drawn from a seed."""
        return self

    def of_masks(self, start: int, stop: int) -> Fill:
        """Return the fill of the masks ``[start, stop)``, where each draws values of its own."""
        return self

    def price(self, model: LoadedModel) -> float:
        """Return how long one masked pass takes, in plain forward passes of the same model."""
        return 1.0

    def check_suits(self, model: LoadedModel) -> None:
        """Raise ``MethodError`` with the reason if the fill does not suit a model."""
        reason = self.refusal(model)
        if reason:
            raise MethodError(reason)

    @abstractmethod
    def outputs(
        self, model: LoadedModel, forward: Forward, x: torch.Tensor, keep: torch.Tensor
    ) -> torch.Tensor:
        """Return logits ``(n, classes)`` of one prepared input under n masks.

        Args:
            model: the model.
            forward: the counted forward pass, ``(n, …)`` → logits.
            x: ``(1, …)``, prepared.
            keep: bool ``(n, …)``, broadcastable to the input; True = stays. Replacements
                also take shares in [0, 1]: how much of each value stays.
        """


class Replacement(Fill):
    """Puts other values in place of the hidden ones; subclasses say which."""

    shares = True

    @abstractmethod
    def values(self, model: LoadedModel, x: torch.Tensor) -> torch.Tensor:
        """Return what stands where x ``(1, …)`` is hidden.

        Either the same under every mask, broadcastable to x, or ``(n, …)``: one for each mask.
        """

    def outputs(
        self, model: LoadedModel, forward: Forward, x: torch.Tensor, keep: torch.Tensor
    ) -> torch.Tensor:
        """As in ``Fill``."""
        values = self.values(model, x)
        if keep.dtype == torch.bool:
            return forward(torch.where(keep, x, values))
        share = keep.to(x.dtype)
        return forward(x * share + values * (1 - share))
