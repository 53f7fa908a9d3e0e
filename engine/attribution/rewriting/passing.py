"""One rewritten pass, held against the plain one."""

from __future__ import annotations

import torch

from engine.attribution.rewriting.watching import Rewriting
from engine.errors import MethodError
from engine.execution.passes import Passes

_ROUNDING = 1e-4  # of the largest logit


def rewritten(passes: Passes, batch: torch.Tensor, rewriting: Rewriting) -> torch.Tensor:
    """Send a batch ``(n, …)`` through a model under a mode; logits ``(n, classes)``.

    The network gets a copy, which it may overwrite.
    """
    copy = batch.clone()
    with rewriting:
        return passes.forward(copy)


def check_same(watched: torch.Tensor, plain: torch.Tensor, scale: float, title: str) -> None:
    """Make sure that a rewritten pass puts out what the plain one does, but for rounding.

    Args:
        watched: logits or scores of the rewritten pass.
        plain: the same of the plain one.
        scale: the largest logit, with which rounding goes.
        title: of the model.

    Raises:
        MethodError: it does not; the network behaves otherwise when its calls are watched.
    """
    apart = (watched.detach() - plain).abs().max()
    if not apart <= _ROUNDING * scale:
        raise MethodError(
            f"{title} puts out other values when its calls are watched (by {float(apart):.2g}); "
            "use a method that leaves the network as it is, such as integrated-gradients"
        )


def gradient_at(leaf: torch.Tensor, score: torch.Tensor) -> torch.Tensor:
    """Return the gradient of a score at a leaf, zeros where none reaches it."""
    if not score.requires_grad:
        return torch.zeros_like(leaf)
    found = torch.autograd.grad(score, leaf, allow_unused=True)[0]
    return torch.zeros_like(leaf) if found is None else found
