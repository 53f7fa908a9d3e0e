"""What a layer is given when it is called, by position or by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

# Gets a layer and its input; returns another input, or None to leave it.
Look = Callable[[nn.Module, torch.Tensor], torch.Tensor | None]


def on_given(part: nn.Module, look: Look) -> RemovableHandle:
    """Look at the first input of each call of a layer, before it runs, until removed."""

    def before(layer: nn.Module, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        found = look(layer, first_of(args, named))
        if found is None:
            return None
        if args:
            return (found, *args[1:]), named
        return args, {**named, next(iter(named)): found}

    return part.register_forward_pre_hook(before, with_kwargs=True)


def first_of(args: tuple[Any, ...], named: dict[str, Any]) -> torch.Tensor:
    """Return the first input of a call."""
    first: torch.Tensor = args[0] if args else next(iter(named.values()))
    return first
