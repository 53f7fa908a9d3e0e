"""Guided backprop's rule (springenberg2014striving): only positive gradients pass a ReLU."""

from __future__ import annotations

from typing import Any

import torch

from engine.attribution.rewriting.calls import Call
from engine.attribution.rewriting.elementwise import with_factor
from engine.attribution.rewriting.kinds import Kind
from engine.attribution.rewriting.watching import Rewriting


class PositiveGradients(Rewriting):
    """Rewrites every ReLU, bounded above or not; other activations are noted, all else passes.

    Attributes:
        rectifiers: how many ReLUs the pass went through.
    """

    rectifiers = 0

    def activation(self, call: Call) -> Any:
        """Rewrite a ReLU in whatever spelling: ``clamp(min=0)`` is one as well."""
        if not _rectifies(call):
            self.note(call, f"calls {call.name}")
            return call.run()
        self.rectifiers += 1
        return with_factor(call, _passing, positive=True)

    def function(self, call: Call) -> Any:
        """Leave functions that are no activations as they are."""
        return call.run()

    def unruled(self, call: Call, kind: Kind) -> None:
        """Products and the like have their own gradients."""

    def cut(self, call: Call) -> None:
        """As in plain gradients."""


def _rectifies(call: Call) -> bool:
    """Whether a call is zero for all that is negative, and changes nothing just above zero."""
    x = call.dependents[0].detach()
    if not x.numel():
        return False
    tried = torch.tensor([0.01, -0.1, -1.0, -4.0, -1e3, 0.0], device=x.device, dtype=x.dtype)
    tried = tried.repeat(-(-x.numel() // len(tried)))[: x.numel()].view(x.shape)
    return bool((call.on(tried.clone()) == tried.clamp(min=0)).all())


def _passing(_call: Call, before: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    """Return 1 where the input is positive and no upper bound cuts it off, else 0."""
    return ((before > 0) & (out == before)).to(before.dtype)
