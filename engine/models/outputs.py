"""From whatever a forward pass returns to logits, and from logits to the one number explained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

import torch

from engine.errors import ModelError, TargetError, nearest

Activation = Literal["softmax", "sigmoid", "identity"]
ACTIVATIONS: tuple[Activation, ...] = ("softmax", "sigmoid", "identity")
Output = Literal["logit", "probability"]
OUTPUTS: tuple[Output, ...] = ("logit", "probability")


def logits_of(returned: Any, entry: str = "") -> torch.Tensor:
    """Return the logits ``(n, classes)`` in what a network returned.

    Accepts a tensor; an object or mapping with ``logits``; else the first tensor of that
    shape in a tuple, a mapping or a dataclass. One number per sample, ``(n,)``, becomes
    ``(n, 1)``; maps of a single cell, ``(n, classes, 1, 1)``, lose their last axes.

    Args:
        returned: by the network.
        entry: which part of it; "" to look for it.

    Raises:
        ModelError: none of these, told with what was seen.
    """
    for name, table in _tables(returned):
        if entry in ("", name):
            return table
    raise _without_logits(returned)


def entry_of(returned: Any, width: int | None = None) -> tuple[str, torch.Tensor]:
    """Return where in what a network returned the logits are ("" in a plain tensor), and them.

    Args:
        returned: by the network.
        width: the number of classes, where it is known: it tells logits from features.

    Raises:
        ModelError: as ``logits_of``.
    """
    tables = list(_tables(returned))
    if not tables:
        raise _without_logits(returned)
    return next((found for found in tables if found[1].shape[1] == width), tables[0])


def widths_of(returned: Any) -> dict[str, int]:
    """Return how wide each part is that might be the logits, by its name."""
    return {name: table.shape[1] for name, table in _tables(returned)}


def _tables(returned: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the parts of what was returned that have the shape of logits, by name."""
    for name, part in _entries(returned):
        if isinstance(part, torch.Tensor):
            flat = _as_table(part)
            if flat is not None:
                yield name, flat


def _without_logits(returned: Any) -> ModelError:
    tensors = [part for _, part in _entries(returned) if isinstance(part, torch.Tensor)]
    if not tensors:
        return ModelError(
            f"the model returned {type(returned).__name__}; expected logits of shape (n, classes)"
        )
    shape = tuple(tensors[0].shape)
    maps = ", maps" if len(shape) > 3 else ""
    return ModelError(f"the model returned shape {shape}{maps}; expected logits (n, classes)")


def _entries(returned: Any) -> Iterator[tuple[str, Any]]:
    """Yield the parts of what was returned by name, the one called logits first."""
    if isinstance(returned, torch.Tensor):
        yield "", returned
    elif isinstance(returned, Mapping):
        yield from sorted(returned.items(), key=lambda item: item[0] != "logits")
    elif hasattr(returned, "logits"):
        yield "logits", returned.logits
    elif is_dataclass(returned):
        yield from ((one.name, getattr(returned, one.name)) for one in fields(returned))
    elif isinstance(returned, tuple | list):
        names = getattr(returned, "_fields", range(len(returned)))
        yield from ((str(name), part) for name, part in zip(names, returned, strict=True))


def _as_table(part: torch.Tensor) -> torch.Tensor | None:
    if part.ndim == 1:
        return part[:, None]
    if part.ndim > 2 and part.shape[2:].numel() == 1:
        return part.flatten(1)
    return part if part.ndim == 2 else None


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
