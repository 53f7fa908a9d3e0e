"""DeepLift's rules (shrikumar2017learning): what carries differences back through a pass."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from engine.attribution.rewriting.calls import Call
from engine.attribution.rewriting.elementwise import precise, with_factor
from engine.attribution.rewriting.watching import Rewriting

# Differences below this count as none (Captum's bound): the derivative stands in for the ratio.
_NONE = 1e-10


class Multipliers(Rewriting):
    """Of a batch ``(2 n, …)``, inputs and then their baselines in the same order.

    Each function of one number has Δ output / Δ input as its gradient (the rescale rule), each
    maximum the ratio for the place that it is taken from; both halves get the same. What is
    linear needs no rule, and all else is noted: there the differences do not add up in general.
    """

    def function(self, call: Call) -> Any:
        """Rescale, if inputs and baselines lie behind each other along the first axis."""
        if not _paired(call.dependents[0]):
            self.note(call, f"calls {call.name} on samples that do not lie along the first axis")
            return call.run()
        return with_factor(call, _ratios)

    def maximum(self, call: Call) -> Any:
        """Send each difference back to the place of the larger maximum."""
        if not _paired(call.dependents[0]):
            return self.function(call)
        out, indices = _PooledDifference.apply(call.dependents[0], call)
        return (out, indices) if _wants_indices(call) else out


def _paired(x: torch.Tensor) -> bool:
    return x.ndim > 0 and len(x) % 2 == 0


def _ratios(call: Call, before: torch.Tensor, _out: torch.Tensor) -> torch.Tensor:
    """Return Δ output / Δ input, of the shape of the input; the slope where Δ input is none."""
    first, last = precise(before).chunk(2)
    ends = call.on(precise(before)).chunk(2)
    apart = first - last
    none = apart.abs() < _NONE
    ratios = (ends[0] - ends[1]) / torch.where(none, 1, apart)
    if none.any():
        ratios = torch.where(none, _slopes(call, before).chunk(2)[0], ratios)
    return torch.cat([ratios, ratios]).to(before.dtype)


def _slopes(call: Call, before: torch.Tensor) -> torch.Tensor:
    with torch.enable_grad():
        leaf = precise(before).requires_grad_()
        out = call.on(leaf.clone())  # the call may be one in place
        return torch.autograd.grad(out.sum(), leaf)[0]


def _wants_indices(call: Call) -> bool:
    return call.name.endswith("_with_indices") or call.kwargs.get("return_indices") is True


class _PooledDifference(torch.autograd.Function):
    """Max-pooling; Δ output / Δ input goes to the place where the larger of both maxima is.

    So the difference is shared out wholly, and never over more than it is (Captum's rule; other
    than there, windows may overlap).
    """

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, call: Call) -> tuple[torch.Tensor, torch.Tensor]:
        pool = getattr(F, call.name.removesuffix("_with_indices"))
        kwargs = {**call.kwargs, "return_indices": True}
        out, indices = pool(x, *call.args[1:], **kwargs)  # (2 n, channels, …); places in a map
        axes = int(call.name.partition("pool")[2][0])
        (first, last), (ends, starts) = x.flatten(-axes).chunk(2), out.flatten(-axes).chunk(2)
        at_first, at_last = indices.flatten(-axes).chunk(2)
        place = torch.where(ends >= starts, at_first, at_last)  # (n, channels, cells)
        apart = first.gather(-1, place) - last.gather(-1, place)
        none = apart.abs() < _NONE
        ratios = torch.where(none, 0, (ends - starts) / torch.where(none, 1, apart))
        ctx.save_for_backward(place, ratios)
        ctx.shape = x.shape
        ctx.mark_non_differentiable(indices)
        return out, indices

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        place, ratios = ctx.saved_tensors
        whole = gradients[0].new_zeros(ctx.shape)
        flat = gradients[0].reshape(2, *ratios.shape)  # both halves, (2, n, channels, cells)
        places = place.expand_as(flat)
        back = whole.view(2, *place.shape[:-1], -1).scatter_add(-1, places, flat * ratios)
        return back.view(ctx.shape), None
