"""Trying a fill that works inside the network: does it hold what it promises?"""

from __future__ import annotations

from collections.abc import Callable

import torch

from engine.errors import MethodError
from engine.execution.passes import Passes
from engine.masking.fills.pricing import halves

_ROUNDING = 1e-4  # of the largest logit

# Runs one pass of x (1, …) under one mask (1, 1, rows, columns).
MaskedPass = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def try_inside(passes: Passes, pair: torch.Tensor, title: str, masked: MaskedPass) -> None:
    """Hold a few masked passes against what must be true of them.

    Args:
        passes: how to run.
        pair: two samples of noise, ``(2, …)``.
        title: of the fill.
        masked: one masked pass.

    Raises:
        MethodError: keeping all is not the plain pass, or what is hidden shows through.
    """
    name = passes.model.card.title
    x, other = pair[:1], pair[1:]
    keep = halves(1, *x.shape[-2:]).to(x.device)
    plain = passes.forward(x.clone()).detach()
    whole = masked(x, torch.ones_like(keep)).detach()
    apart = float((whole - plain).abs().max())
    if not apart <= _ROUNDING * float(plain.abs().max()):
        raise MethodError(
            f"{title} does not suit {name}: with nothing hidden it puts out other values (by "
            f"{apart:.2g}); use mean or blur"
        )
    changed = torch.where(keep, x, other)
    if not torch.equal(masked(x, keep), masked(changed, keep)):
        raise MethodError(
            f"{title} does not suit {name}: what is hidden shows through; use mean or blur"
        )
