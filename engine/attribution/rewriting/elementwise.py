"""Functions of one number each whose backward is a factor of our own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from engine.attribution.rewriting.calls import Call

# (the call, what goes in, what comes out) → factors of that shape.
Factor = Callable[[Call, torch.Tensor, torch.Tensor], torch.Tensor]


def with_factor(call: Call, factor: Factor, *, positive: bool = False) -> torch.Tensor:
    """Make a call as it is, in place where it is so; its gradient becomes gradient × factor.

    Args:
        call: of one tensor that depends on the input.
        factor: called at once, so what happens to the tensors later does not matter.
        positive: only positive gradients go on.
    """
    found: torch.Tensor = _WithFactor.apply(call.dependents[0], call, factor, positive)
    return found


def precise(x: torch.Tensor) -> torch.Tensor:
    """Return a copy in which small differences keep their digits, where the device has such."""
    return x.detach().to(torch.float32 if x.device.type == "mps" else torch.float64, copy=True)


class _WithFactor(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, call: Call, factor: Factor, positive: bool
    ) -> torch.Tensor:
        before = x.clone() if call.in_place else x
        out: torch.Tensor = call.run()
        if call.in_place:
            ctx.mark_dirty(x)
        ctx.save_for_backward(factor(call, before, out))
        ctx.positive = positive
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (factors,) = ctx.saved_tensors
        gradient = gradients[0].clamp(min=0) if ctx.positive else gradients[0]
        return gradient * factors, None, None, None
