"""What the readers of units are given in a pass, and how the loss reacts to it.

A reader's input is where units are seen after normalisation and non-linearity. Readers are
modules, hooked for the pass; but the output projection of an attention, which may be a plain
function call, is met where torch computes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from engine.attention.interception import Fused
from engine.errors import MethodError
from engine.heads.projections import Projecting
from engine.pruning.given import Look, on_given
from engine.pruning.units import Groups, Span


class HeadTap(Projecting):
    """Keeps what output projections are given and, if asked, what the heads look at.

    Attributes:
        maps: the probabilities of each attention, by its index.
        tokens_first: attentions whose output projection is given rows token by token, as
            torch's packed attention does it; else sample by sample.
    """

    def __init__(self, gates: dict[int, torch.Tensor], look: bool) -> None:
        super().__init__(gates)
        self.maps: dict[int, torch.Tensor] = {}
        self.tokens_first: set[int] = set()
        self._look = look
        self._packed = False

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func is not F.multi_head_attention_forward:
            return super().__torch_function__(func, types, args, kwargs)
        self._packed = True
        try:
            return super().__torch_function__(func, types, args, kwargs)
        finally:
            self._packed = False

    def other(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Note in what order rows are."""
        before = set(self.given)
        found = super().other(func, args, kwargs)
        if self._packed:
            self.tokens_first |= set(self.given) - before
        return found

    def fused(self, index: int, call: Fused) -> torch.Tensor:
        """Note the probabilities and run."""
        if self._look:
            with torch.no_grad():
                self.maps[index] = call.probabilities()
        return super().fused(index, call)

    def weighted(
        self, index: int, weights: torch.Tensor, plain: Callable[[], torch.Tensor]
    ) -> torch.Tensor:
        """Note the probabilities and let them go on."""
        if self._look:
            self.maps[index] = plain()
        return super().weighted(index, weights, plain)


class LayerTap:
    """Keeps what layers are given, each call a tensor of its own, so that gradients are theirs.

    Attributes:
        given: by the layer's name, one tensor for each of its calls.

    Args:
        module: the network.
        layers: names of those to look at.
    """

    def __init__(self, module: nn.Module, layers: list[str]) -> None:
        self.given: dict[str, list[torch.Tensor]] = {name: [] for name in layers}
        self._module = module

    @contextmanager
    def on(self) -> Iterator[None]:
        """Look on, inside the ``with``."""
        handles = []
        try:
            for name in self.given:
                layer = self._module.get_submodule(name)
                handles.append(on_given(layer, self._noting(name)))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _noting(self, name: str) -> Look:
        def note(_module: nn.Module, given: torch.Tensor) -> torch.Tensor:
            # Another path may read the same tensor, or write over it.
            own = given.clone()
            self.given[name].append(own)
            return own

        return note

    def check(self) -> None:
        """Raise ``MethodError`` if a layer was not come to."""
        unseen = [name for name, calls in self.given.items() if not calls]
        if unseen:
            raise MethodError(f"{unseen[0]} was not called in a pass: what it reads is not known")


def tapped_layers(groups: Groups) -> list[str]:
    """Return the names of the layers that read units other than heads, each once."""
    names = [
        span.layer for group in groups.groups if group.kind != "heads" for span in group.consumers
    ]
    return list(dict.fromkeys(names))


def axis_of_inputs(module: nn.Module, span: Span) -> int:
    """Return along which axis of its input a layer's inputs lie: of convolutions 1, else last."""
    weight = getattr(module.get_submodule(span.layer), span.tensor)
    return 1 if weight.ndim > 2 else -1


def by_sample(given: torch.Tensor, alone: torch.Size, count: int) -> torch.Tensor:
    """Return a tensor with its samples first, ``(samples, …)``.

    Args:
        given: in whatever order the network has it; several windows of a sample follow one
            another.
        alone: its shape in a pass of one sample.
        count: of samples.
    """
    if count == 1:
        return given[None]
    axes = [axis for axis, size in enumerate(given.shape) if size != alone[axis]]
    if len(axes) != 1 or given.shape[axes[0]] != count * alone[axes[0]]:
        raise MethodError(
            f"of {count} samples a layer is given shape {tuple(given.shape)}, of one "
            f"{tuple(alone)}: it is not known which numbers are whose"
        )
    return given.unflatten(axes[0], (count, -1)).movedim(axes[0], 0)
