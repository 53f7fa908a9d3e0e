"""In what order a pass comes to the layers that matter to repairs, and which batch norms follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from engine.execution.passes import Passes
from engine.pruning.given import Look, on_given


@dataclass(frozen=True, eq=False)
class Flow:
    """What one pass of one sample shows.

    Attributes:
        order: names of readers and batch norms, in the order of their first calls.
        followed: which batch norm is given a reader's output just as it is, by the reader.
        norms: batch norms with running statistics, called once, in the order of their calls.
        often: those that are called more than once.
        widest: most numbers that a batch norm is given of the sample.
    """

    order: tuple[str, ...]
    followed: dict[str, str]
    norms: tuple[str, ...]
    often: tuple[str, ...]
    widest: int

    def late(self, reader: str) -> bool:
        """Whether a reader comes after the last batch norm."""
        norms = [self.order.index(name) for name in self.norms]
        return reader in self.order and self.order.index(reader) > max(norms, default=-1)


def flow_of(passes: Passes, x: torch.Tensor, readers: Sequence[str]) -> Flow:
    """Run one sample and look on.

    Args:
        passes: how to run.
        x: ``(1, …)``.
        readers: names of layers that read units.
    """
    watch = _Watch()
    model = passes.model
    with torch.no_grad(), model.ready() as module:
        names = {id(part): name for name, part in module.named_modules()}
        handles = []
        try:
            for part in running_norms(module).values():
                handles.append(on_given(part, watch.entering(names[id(part)])))
            for name in dict.fromkeys(readers):
                part = module.get_submodule(name)
                handles.append(part.register_forward_hook(watch.leaving(name)))
            passes.forward(x)
        finally:
            for handle in handles:
                handle.remove()
    return watch.told()


def running_norms(module: nn.Module) -> dict[str, nn.Module]:
    """Return the batch norms that keep statistics, by name."""
    return {
        name: part
        for name, part in module.named_modules()
        if isinstance(part, _BatchNorm) and part.running_mean is not None
    }


class _Watch:
    """Notes calls; outputs are held, so that no other tensor takes their place in memory."""

    def __init__(self) -> None:
        self._calls: list[str] = []
        self._norms: list[str] = []
        self._outputs: list[tuple[str, torch.Tensor, int]] = []
        self._followed: dict[str, str] = {}
        self._widest = 0

    def entering(self, name: str) -> Look:
        """Return a hook for what a batch norm is given."""

        def note(_module: nn.Module, given: torch.Tensor) -> None:
            self._calls.append(name)
            self._norms.append(name)
            self._widest = max(self._widest, given.numel())
            for reader, output, version in self._outputs:
                same = given.untyped_storage().data_ptr() == output.untyped_storage().data_ptr()
                if same and given.numel() == output.numel() and given._version == version:
                    self._followed[reader] = name

        return note

    def leaving(self, name: str) -> Callable[..., None]:
        """Return a hook for what a reader returns."""

        def note(_module: nn.Module, _args: Any, output: torch.Tensor) -> None:
            self._calls.append(name)
            self._outputs.append((name, output, output._version))

        return note

    def told(self) -> Flow:
        """Return what was seen."""
        once = [name for name in self._norms if self._norms.count(name) == 1]
        often = dict.fromkeys(name for name in self._norms if self._norms.count(name) > 1)
        followed = {reader: norm for reader, norm in self._followed.items() if norm in once}
        order = tuple(dict.fromkeys(self._calls))
        return Flow(order, followed, tuple(once), tuple(often), self._widest)
