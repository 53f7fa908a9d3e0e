"""The gates check themselves: what they switch off must be a head, all of it and no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from engine.attention.gates import Gates
from engine.attention.layouts import told
from engine.attention.visits import Call
from engine.models.outputs import logits_of

_NEXT = (F.linear, F.layer_norm, F.conv1d, F.conv2d)
_SHARE = 1e-4  # of the largest logit: far above rounding, far below what a head does


class _Projected(Gates):
    """Keeps what the first layers after each attention are given, and may blank it.

    Attributes:
        inputs: of the first linear layer after each attention, by the site's index.
        nexts: of the first linear layer, layer norm or convolution, channels last.

    Args:
        gates: as of ``Gates``.
        blank: columns to put to zero there, by the site's index.
    """

    def __init__(
        self, gates: Mapping[int, torch.Tensor], blank: Mapping[int, torch.Tensor] | None = None
    ) -> None:
        super().__init__(gates)
        self.inputs: dict[int, torch.Tensor] = {}
        self.nexts: dict[int, torch.Tensor] = {}
        self._blank = blank or {}
        self._awaited: int | None = None

    def _gated(self, index: int, values: torch.Tensor) -> torch.Tensor:
        self._awaited = index
        return super()._gated(index, values)

    def other(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        index = self._awaited
        if func not in _NEXT or index is None or not args:
            return func(*args, **kwargs)
        given, *rest = args
        last = func in (F.linear, F.layer_norm)
        self.nexts.setdefault(index, given if last else given.movedim(1, -1))
        if func is not F.linear:
            return func(*args, **kwargs)
        self._awaited = None
        self.inputs[index] = given
        if index in self._blank:
            given = given.masked_fill(self._blank[index], 0)
        return func(given, *rest, **kwargs)


def problem_with_gates(module: nn.Module, x: torch.Tensor, calls: Sequence[Call]) -> str:
    """Say in one line why gates do not switch heads off, or nothing if they do.

    Gates of one must leave the output as it is; the gate of one head of each attention, closed,
    must do what zeroing the head's columns does before the output projection. That is the
    linear layer next after the attention, if all it is given vanishes when all gates close.
    Without one, heads must reach what comes next in channels of their own.

    Args:
        module: in eval mode.
        x: one sample, ``(1, …)``.
        calls: its attentions, each of four axes.
    """
    with torch.no_grad():
        plain = logits_of(module(x))
        ones = {call.index: torch.ones(call.shape[1], device=x.device) for call in calls}
        if not _alike(_logits(module, x, Gates(ones)), plain):
            return "gates of one change what the model puts out"
        shut = _Projected({index: gate * 0 for index, gate in ones.items()})
        _logits(module, x, shut)
        for call in calls:
            if call.softmax and not _stays_apart(module, x, call, shut):
                return _heads_mixed(call)
        return _compared(module, x, calls, ones, shut.inputs, plain)


def _compared(
    module: nn.Module,
    x: torch.Tensor,
    calls: Sequence[Call],
    ones: Mapping[int, torch.Tensor],
    shut: Mapping[int, torch.Tensor],
    plain: torch.Tensor,
) -> str:
    """Close one head of every attention at once, by its gate and by its columns."""
    gates = {call.index: _without(ones[call.index], call.index) for call in calls}
    one = _Projected(gates)
    logits = _logits(module, x, one)
    blank: dict[int, torch.Tensor] = {}
    for call in calls:
        if _is_projection(call, shut.get(call.index)):
            columns = (one.inputs[call.index] == 0).flatten(0, -2).all(dim=0)
            if columns.sum() < len(columns) // call.shape[1]:
                return _heads_mixed(call)
            blank[call.index] = columns
    left = {index: gate for index, gate in gates.items() if index not in blank}
    if _alike(_logits(module, x, _Projected(left, blank)), logits, plain):
        return ""
    return "closing the gate of a head is not zeroing its columns before the output projection"


def _stays_apart(module: nn.Module, x: torch.Tensor, call: Call, shut: _Projected) -> bool:
    """Whether nothing mixes the heads after a softmax (after fused attention nothing can)."""
    following = shut.nexts.get(call.index)
    if following is None:
        return True
    if following.shape[-1] == call.shape[1] and following.numel() == prod(call.shape):
        return False  # a layer over the heads of each query and key
    if _is_projection(call, shut.inputs.get(call.index)):
        return True
    ones = torch.ones(call.shape[1], device=x.device)
    one = _without(ones, call.index)
    plain, *closed = (_next(module, x, call, gate) for gate in (ones, one, ones - one))
    moved = [(found - plain).abs() > _SHARE * plain.abs().max() for found in closed]
    mine, others = (found.flatten(0, -2).any(dim=0) for found in moved)
    return not (mine & others).any()


def _next(module: nn.Module, x: torch.Tensor, call: Call, gate: torch.Tensor) -> torch.Tensor:
    mode = _Projected({call.index: gate})
    _logits(module, x, mode)
    return mode.nexts[call.index]


def _heads_mixed(call: Call) -> str:
    return f"{told(call)} mixes its heads after the softmax (as talking heads do)"


def _is_projection(call: Call, shut: torch.Tensor | None) -> bool:
    return shut is not None and not shut.any() and shut.shape[-1] % call.shape[1] == 0


def _without(gate: torch.Tensor, index: int) -> torch.Tensor:
    closed = gate.clone()
    closed[index % len(gate)] = 0
    return closed


def _logits(module: nn.Module, x: torch.Tensor, mode: Gates) -> torch.Tensor:
    with mode:
        return logits_of(module(x))


def _alike(found: torch.Tensor, wanted: torch.Tensor, scale: torch.Tensor | None = None) -> bool:
    largest = (wanted if scale is None else scale).abs().max()
    return bool((found - wanted).abs().max() <= _SHARE * largest)
