"""The γ-rule for convolutions (montavon2019layer), for inputs of either sign.

Where an output is positive, positive contributions are weighed by 1 + γ; where it is negative,
negative ones. For inputs that are not negative, as after a ReLU, and positive outputs this is
the rule of the paper; for the others, that which zennit calls generalised.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from engine.attribution.rewriting.calls import Call
from engine.attribution.rewriting.elementwise import precise
from engine.attribution.rewriting.ledger import Ledger


@dataclass(frozen=True, eq=False)
class Convolution:
    """A convolution with its weights, perhaps those of the batch norm after it as well.

    Attributes:
        x: what it is called on, ``(n, channels, …)``.
        weight: ``(kernels, channels, …)``.
        bias: ``(kernels,)``.
        on: the convolution of given inputs, weights and bias or None.
    """

    x: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor
    on: Callable[[torch.Tensor, torch.Tensor, torch.Tensor | None], torch.Tensor]

    @classmethod
    def of(cls, call: Call) -> Convolution:
        """Read a call of a convolution."""
        weight, bias = call.argument(1, "weight"), call.argument(2, "bias")
        rest = {k: v for k, v in call.kwargs.items() if k not in ("weight", "bias")}

        def on(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
            found: torch.Tensor = call.function(x, weight, bias, *call.args[3:], **rest)
            return found

        bias = weight.new_zeros(len(weight)) if bias is None else bias
        return cls(call.args[0], weight, bias, on)

    def normalised(self, call: Call) -> Convolution:
        """Return it with a batch norm after it, which is affine in each kernel's output."""
        mean = precise(call.argument(1, "running_mean"))  # (kernels,)
        at_mean, above = call.on(torch.stack([mean, mean + 1])[:, :, None])[:, :, 0]
        scale = (above - at_mean).view(-1, *[1] * (self.weight.ndim - 1))
        weight = precise(self.weight) * scale
        bias = (precise(self.bias) - mean) * scale.flatten() + at_mean
        return replace(self, weight=weight.to(self.weight), bias=bias.to(self.bias))


def favoured(call: Call, convolution: Convolution, gamma: float, ledger: Ledger) -> torch.Tensor:
    """Make a call as it is, its relevance shared out by the γ-rule.

    Args:
        call: the convolution, or the batch norm after it.
        convolution: what it amounts to.
        gamma: how much more the parts count that have the output's sign.
        ledger: where the share of biases is noted.
    """
    x, weight, bias = convolution.x, convolution.weight, convolution.bias
    signs = {1: _more(weight, bias, gamma, 1), -1: _more(weight, bias, gamma, -1)}
    sums = [_sum(convolution, x, signs, sign) for sign in (1, -1)]
    found: torch.Tensor = _Favoured.apply(
        *sums, call.run, [_columns(signs[sign][1], sums[0]) for sign in (1, -1)], ledger
    )
    return found


Weights = tuple[torch.Tensor, torch.Tensor]


def _more(weight: torch.Tensor, bias: torch.Tensor, gamma: float, sign: int) -> Weights:
    """Return weights and bias with more of one sign."""
    low, high = (0, None) if sign > 0 else (None, 0)
    return weight + gamma * weight.clamp(low, high), bias + gamma * bias.clamp(low, high)


def _sum(
    convolution: Convolution, x: torch.Tensor, signs: dict[int, Weights], sign: int
) -> torch.Tensor:
    """Return the sum in which contributions of one sign count more; differentiable in x."""
    found = convolution.on(x.relu(), *signs[sign])
    if bool((x < 0).any()):  # a negative number and a weight of the other sign
        found = found - convolution.on((-x).relu(), signs[-sign][0], None)
    return found


def _columns(bias: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return bias.view(1, -1, *[1] * (like.ndim - 2))


class _Favoured(torch.autograd.Function):
    """Puts out what the call does; its gradient goes to the sum of the output's sign."""

    @staticmethod
    def forward(
        ctx: Any,
        more: torch.Tensor,
        less: torch.Tensor,
        run: Callable[[], torch.Tensor],
        biases: list[torch.Tensor],
        ledger: Ledger,
    ) -> torch.Tensor:
        out = run()
        # Never smaller than the output but for rounding, so there is nothing to stabilise.
        whole = torch.where(out > 0, more.maximum(out), less.minimum(out))
        ratio = torch.where(out == 0, 0, out / torch.where(out == 0, 1, whole))
        ctx.save_for_backward(ratio, out > 0, *biases)
        ctx.ledger = ledger
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        ratio, positive, of_more, of_less = ctx.saved_tensors
        shared = gradients[0] * ratio
        ctx.ledger.to_biases(shared, torch.where(positive, of_more, of_less))
        return shared * positive, shared * ~positive, None, None, None
