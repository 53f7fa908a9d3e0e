"""From whatever a forward pass returns to logits, and from logits to the one number explained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch

from engine.errors import ModelError, TargetError, nearest

Activation = Literal["softmax", "sigmoid", "identity"]
Output = Literal["logit", "probability"]
OUTPUTS: tuple[Output, ...] = ("logit", "probability")


def logits_of(returned: Any) -> torch.Tensor:
    """Return the logits ``(n, classes)`` in what a network returned.

    Accepts a tensor, an object or mapping with ``logits``, or a tuple that begins with a
    tensor. One number per sample, ``(n,)``, becomes ``(n, 1)``.

    Raises:
        ModelError: none of these, told with what was seen.
    """
    found = returned
    if isinstance(found, Mapping):
        found = found.get("logits", next(iter(found.values()), None))
    elif hasattr(found, "logits"):
        found = found.logits
    elif isinstance(found, tuple | list) and found:
        found = found[0]
    if not isinstance(found, torch.Tensor):
        raise ModelError(
            f"the model returned {type(returned).__name__}; expected logits of shape (n, classes)"
        )
    if found.ndim == 1:
        found = found[:, None]
    if found.ndim != 2:
        raise ModelError(
            f"the model returned shape {tuple(found.shape)}; expected logits (n, classes)"
        )
    return found


def probabilities_of(logits: torch.Tensor, activation: Activation) -> torch.Tensor:
    """Return probabilities of the shape of the logits; of a regression, the values themselves."""
    if activation == "identity":
        return logits
    return logits.sigmoid() if activation == "sigmoid" else logits.softmax(dim=-1)


@dataclass(frozen=True)
class Readout:
    """Which number of the output is explained.

    Attributes:
        target: index of the class.
        versus: index of the class it is held against (their difference is explained), or None.
        output: "logit" or "probability".
        activation: how logits become probabilities; "identity" for a regression.
    """

    target: int
    versus: int | None
    output: Output
    activation: Activation

    def __post_init__(self) -> None:
        if self.output not in OUTPUTS:
            raise ModelError(f"no output {self.output!r}; {nearest(self.output, OUTPUTS)}")
        if self.output == "probability" and self.activation == "identity":
            raise TargetError("a regression has no probability; explain its value: output='logit'")

    def __call__(self, logits: torch.Tensor) -> torch.Tensor:
        """Return the explained number of each sample: logits ``(n, classes)`` → ``(n,)``."""
        values = logits if self.output == "logit" else probabilities_of(logits, self.activation)
        chosen = values[:, self.target]
        return chosen if self.versus is None else chosen - values[:, self.versus]
