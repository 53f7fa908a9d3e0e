"""The rules of layer-wise relevance propagation (bach2015pixel), as gradients.

What flows back is the multiplier m of each number z, its relevance being R = m z. So sums,
reshapes and whatever else is linear pass relevance on as plain autograd does, in proportion to
what each part adds, and only three things need a rule: denominators, activations and constants.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from engine.attribution.rewriting.calls import Call
from engine.attribution.rewriting.elementwise import with_factor
from engine.attribution.rewriting.kinds import CONVOLUTIONS, SUMS
from engine.attribution.rewriting.ledger import Ledger
from engine.attribution.rewriting.positive_weights import Convolution, favoured
from engine.attribution.rewriting.watching import Rewriting
from engine.execution.calls import tensors_in

EPSILON = 1e-6
GAMMA = 0.25


class Relevance(Rewriting):
    """Makes m z at the input the relevance of the input, where m is the gradient.

    Sums divide by z + ε sign z. Activations with f(0) = 0 pass relevance on: their factor is
    f(z) / z, of a ReLU 1 or 0. A maximum gives all to the one that it takes.

    Args:
        module: the network.
        gamma: convolutions weigh positive parts by 1 + γ (montavon2019layer), together with
            the batch norm right after them; 0 leaves them to the ε-rule.

    Attributes:
        ledger: what did not reach the input.
    """

    def __init__(self, module: torch.nn.Module, gamma: float = 0.0) -> None:
        super().__init__(module)
        self.ledger = Ledger()
        self._gamma = gamma
        self._last: tuple[torch.Tensor, tuple[int, int], Convolution] | None = None

    def activation(self, call: Call) -> Any:
        """Pass relevance on, if zero stays zero; else note that there is no rule."""
        x = call.dependents[0].detach()
        if bool(call.on(torch.zeros_like(x)).any()):
            self.note(call, f"calls {call.name}, which makes something out of zero")
            return call.run()
        return with_factor(call, _passed_on)

    def function(self, call: Call) -> Any:
        """Note that other functions have no rule."""
        self.note(call, f"calls {call.name}")
        return call.run()

    def affine(self, call: Call) -> Any:
        """Share relevance out over what is added up."""
        if self._gamma and call.name in CONVOLUTIONS:
            return self._favoured(call, Convolution.of(call))
        if self._gamma and call.name == "batch_norm":
            before = self._convolution_before(call)
            if before is not None:
                return self._favoured(call, before.normalised(call))
        constants = call.constant()
        found = call.run()
        for out, constant in zip(tensors_in(found), tensors_in(constants), strict=True):
            if out.requires_grad:
                self._share(out, constant, EPSILON if call.name in SUMS else 0.0)
        return found

    def _favoured(self, call: Call, convolution: Convolution) -> torch.Tensor:
        out = favoured(call, convolution, self._gamma, self.ledger)
        self._last = (out, (out._version, convolution.x._version), convolution)
        return out

    def _convolution_before(self, call: Call) -> Convolution | None:
        """Return the convolution whose output, and nothing else, a batch norm is called on."""
        if self._last is None or call.args[0] is not self._last[0]:
            return None
        out, versions, convolution = self._last
        unspoilt = versions == (out._version, convolution.x._version)
        return convolution if unspoilt else None

    def _share(self, out: torch.Tensor, constant: torch.Tensor, epsilon: float) -> None:
        if epsilon:
            out.register_hook(_stabilised(out.detach(), constant, epsilon, self.ledger))
        elif bool(constant.any()):
            out.register_hook(_counted(constant, self.ledger))


def _passed_on(_call: Call, before: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    """Return f(z) / z, and 0 where z is 0 and so has no relevance."""
    none = before == 0
    return torch.where(none, 0, out / torch.where(none, 1, before))


def _stabilised(
    out: torch.Tensor, constant: torch.Tensor, epsilon: float, ledger: Ledger
) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return what turns m into m z / (z + ε sign z), and counts what is lost by it."""
    factor = out / torch.where(out < 0, out - epsilon, out + epsilon)
    lost = out * (1 - factor)

    def hook(multipliers: torch.Tensor) -> torch.Tensor:
        ledger.to_stabiliser(multipliers, lost)
        shared = multipliers * factor
        ledger.to_biases(shared, constant)
        return shared

    return hook


def _counted(constant: torch.Tensor, ledger: Ledger) -> Callable[[torch.Tensor], None]:
    def hook(multipliers: torch.Tensor) -> None:
        ledger.to_biases(multipliers, constant)

    return hook
