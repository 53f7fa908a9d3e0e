"""Counting passes with hooks on the network itself, independent of the engine's counters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn


@dataclass
class Counted:
    forward: int = 0
    backward: int = 0
    batches: list[int] = field(default_factory=list)


@contextmanager
def counted(module: nn.Module) -> Iterator[Counted]:
    """Count samples that enter the network, and samples whose output gets a gradient."""
    count = Counted()

    def entering(_module: nn.Module, args: tuple[torch.Tensor, ...]) -> None:
        count.forward += len(args[0])
        count.batches.append(len(args[0]))

    def leaving(_module: nn.Module, _args: Any, output: torch.Tensor) -> None:
        if output.requires_grad:
            output.register_hook(returning)

    def returning(gradient: torch.Tensor) -> None:
        count.backward += len(gradient)

    handles = [module.register_forward_pre_hook(entering), module.register_forward_hook(leaving)]
    try:
        yield count
    finally:
        for handle in handles:
            handle.remove()


def hooks_on(module: nn.Module) -> int:
    """Number of hooks of any kind on a network and its parts."""
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return sum(len(getattr(part, kind)) for part in module.modules() for kind in kinds)
