"""What a forward pass comes down to: products and normalisations, and whose they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Literal

import torch
from torch import nn

from engine.execution.calls import innermost_layer, is_compiled, layer_names, layer_told
from engine.pruning.measuring.shrinking import Place

Kind = Literal["weights", "attention", "product", "norm"]


@dataclass(frozen=True)
class Work:
    """Some of the work of one layer, for one sample.

    Attributes:
        layer: its name; of weights the layer that has them.
        kind: products with weights, those of an attention, other products of activations, or
            a normalisation.
        amount: multiply–accumulates; of a normalisation, numbers that were normalised.
        place: the tensor with whose size it grows, or None.
        shape: of that tensor.
        site: number of the attention with whose heads it grows, or −1.
    """

    layer: str
    kind: Kind
    amount: int
    place: Place | None = None
    shape: tuple[int, ...] = ()
    site: int = -1


def place_of(name: str) -> Place:
    """Return layer and tensor of a name in a state ("layer1.conv1.weight")."""
    layer, _, tensor = name.rpartition(".")
    return layer, tensor


class Ledger:
    """Writes work down, and finds out whose weights it was done with."""

    def __init__(self, module: nn.Module) -> None:
        self.works: list[Work] = []
        self.notes: list[str] = []
        self._names = layer_names(module)
        self._shapes: list[tuple[int, ...]] = []  # of what each work put out
        self._open: tuple[int, tuple[int, ...]] | None = None  # probabilities not yet used
        self._paused = False
        self._tensors: list[tuple[torch.Tensor, Place]] = [
            (part, place_of(name))
            for name, part in (*module.named_parameters(), *module.named_buffers())
            if part.numel()
        ]
        compiled = next((name for name, p in module.named_modules() if is_compiled(p)), None)
        if compiled is not None:
            self.notes.append(f"{layer_told(compiled)} is compiled: work in it may go uncounted")

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Write nothing down meanwhile."""
        before, self._paused = self._paused, True
        try:
            yield
        finally:
            self._paused = before

    def write(self, work: Work, out: tuple[int, ...] = ()) -> None:
        """Add some work."""
        if not self._paused:
            self.works.append(work)
            self._shapes.append(out)

    def note(self, line: str) -> None:
        """Add a line on what could not be counted, once."""
        if line not in self.notes:
            self.notes.append(line)

    def here(self) -> str:
        """Return the name of the layer whose code is running."""
        return innermost_layer(self._names)

    def with_weights(self, kind: Kind, amount: int, *operands: Any) -> bool:
        """Add work that one of its operands makes a layer's own; say whether one does."""
        here = self.here()
        for operand in operands:
            found = [] if operand is None else [p for p in self._tensors if _within(operand, p[0])]
            if found:
                own = [known for known in found if known[1][0] == here]
                part, place = (own or found)[0]
                layer = here if kind == "norm" else place[0]
                self.write(Work(layer, kind, amount, place, tuple(part.shape)))
                return True
        return False

    def product(self, first: torch.Tensor, second: torch.Tensor, out: tuple[int, ...]) -> None:
        """Add a matrix product ``(…, n, k) @ (…, k, m)``; m may be missing."""
        amount = prod(out) * first.shape[-1]
        if self.with_weights("weights", amount, second, first):
            return
        site = -1
        if self._open is not None and _is_map(tuple(first.shape), self._open[1]):
            site, self._open = self._open[0], None
        kind: Kind = "product" if site < 0 else "attention"
        self.write(Work(self.here(), kind, amount, site=site), out)

    def probabilities(self, site: int, shape: tuple[int, ...]) -> None:
        """Tell of a softmax over keys: the product that made its scores, and the next to use it."""
        if self._paused:
            return
        for number in reversed(range(len(self.works))):
            work = self.works[number]
            if work.kind == "product" and _is_map(self._shapes[number], shape):
                self.works[number] = replace(work, kind="attention", site=site)
                break
        self._open = (site, shape)


def _within(operand: torch.Tensor, part: torch.Tensor) -> bool:
    """Whether an operand is a tensor of the network, or a view into it."""
    if operand is part:
        return True
    start, end = part.data_ptr(), part.data_ptr() + part.numel() * part.element_size()
    return operand.device == part.device and start <= operand.data_ptr() < end


def _is_map(shape: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two shapes are maps of as many heads, queries and keys."""
    return shape[-2:] == other[-2:] and prod(shape) == prod(other)
