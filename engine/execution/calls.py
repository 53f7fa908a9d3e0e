"""Calls of torch as a torch function mode meets them: their names, their tensors, their layer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any

import torch
from torch import nn


def said_name(function: Any) -> str:
    """Return a function's name as torch spells it: "relu_", "__iadd__", "__get__"."""
    return str(getattr(function, "__name__", function)).split(".")[0]  # "relu.default"


def plain_name(said: str) -> tuple[str, bool]:
    """Return a name without its spelling, and whether the spelling is one in place."""
    if not said.startswith("__"):
        return said.strip("_"), said.endswith("_")
    bare = said.strip("_")
    in_place = bare in _IN_PLACE_OPERATORS
    return (bare[1:] if in_place else bare), in_place


_IN_PLACE_OPERATORS = frozenset(
    {"iadd", "isub", "imul", "idiv", "itruediv", "ifloordiv", "ipow", "imod"}
)


def mapped(value: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """Return arguments with each tensor changed; lists, tuples and mappings are looked into."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if type(value) in (list, tuple):
        return type(value)([mapped(one, change) for one in value])
    if type(value) is dict:
        return {name: mapped(one, change) for name, one in value.items()}
    return value


def tensors_in(value: Any) -> Iterator[torch.Tensor]:
    """Return all tensors in what goes into a call or comes out of it."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from tensors_in(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from tensors_in(one)


def layer_names(module: nn.Module) -> dict[int, str]:
    """Return the names of a network's layers by their identity, for ``innermost_layer``."""
    return {id(part): name for name, part in module.named_modules()}


def innermost_layer(names: Mapping[int, str]) -> str:
    """Return the name of the innermost layer whose code is running in this thread, or ""."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        owner = frame.f_locals.get("self")
        if isinstance(owner, nn.Module) and id(owner) in names:
            return names[id(owner)]
        frame = frame.f_back
    return ""


def layer_told(layer: str) -> str:
    """Say whose code it is: "its layer blocks.0.norm", "its own forward"."""
    return f"its layer {layer}" if layer else "its own forward"


def is_compiled(part: nn.Module) -> bool:
    """Whether a layer runs outside Python: scripted, traced, or by ``torch.compile``."""
    compiled = getattr(part, "_compiled_call_impl", None) is not None
    return compiled or isinstance(part, torch.jit.ScriptModule) or "_orig_mod" in part._modules
