"""A sparse denoising auto-encoder that moves its connections while it learns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

# As published: rate, momentum, decay and batch size of the training, and the first weights.
_RATE, _MOMENTUM, _DECAY, _BATCH = 0.01, 0.9, 1e-5, 100
_SCALE = 0.1
# The published networks have about 4 % of all possible connections. With few columns ε alone would
# give nearly all: the network could then copy noise as well as what hangs together, and nothing
# would be told. So no layer gets more than this share (our definition).
MOST_SHARE = 0.1


@dataclass(frozen=True)
class Recipe:
    """How the auto-encoder is built and trained.

    Attributes:
        hidden: hidden neurons.
        epsilon: each layer has about ε (inputs + outputs) connections, up to a tenth of all.
        zeta: the share of connections that is moved after every epoch.
        noise: standard deviation of the noise added to the standardised inputs.
        epochs: times through the rows.
    """

    hidden: int
    epsilon: float
    zeta: float
    noise: float
    epochs: int


def strengths(
    rows: torch.Tensor, recipe: Recipe, seed: int, step: Callable[[], None]
) -> torch.Tensor:
    """Train, and return the strength of each input: Σ |weight| of its connections.

    Args:
        rows: standardised, float32 ``(n, features)``, on the CPU.
        recipe: how.
        seed: of the connections, the noise and the order of the rows.
        step: called after every epoch; may raise.

    Returns:
        float64 ``(features,)``.
    """
    draws = torch.Generator().manual_seed(seed)
    features = rows.shape[1]
    layers = [
        _Layer(features, recipe.hidden, recipe.epsilon, draws),
        _Layer(recipe.hidden, features, recipe.epsilon, draws),
    ]
    with torch.inference_mode():
        for epoch in range(recipe.epochs):
            for chosen in torch.randperm(len(rows), generator=draws).split(_BATCH):
                _learn(rows[chosen], layers, recipe.noise, draws)
            if epoch < recipe.epochs - 1:  # what was just grown would have learned nothing
                for layer in layers:
                    layer.move(recipe.zeta, draws)
            step()
        return layers[0].weight.double().abs().sum(dim=1)


def _learn(clean: torch.Tensor, layers: list[_Layer], noise: float, draws: torch.Generator) -> None:
    """One step of gradient descent on half the squared error, a sum over features."""
    inner, outer = layers
    noisy = clean + noise * torch.randn(clean.shape, generator=draws)
    hidden = (noisy @ inner.weight + inner.bias).sigmoid()  # (batch, hidden)
    missed = (hidden @ outer.weight + outer.bias - clean) / len(clean)  # (batch, features)
    back = (missed @ outer.weight.T) * hidden * (1 - hidden)
    outer.descend(hidden.T @ missed, missed.sum(dim=0))
    inner.descend(noisy.T @ back, back.sum(dim=0))


class _Layer:
    """Weights ``(inputs, outputs)`` of which only some are connections, and their momentum."""

    def __init__(self, inputs: int, outputs: int, epsilon: float, draws: torch.Generator) -> None:
        share = min(MOST_SHARE, epsilon * (inputs + outputs) / (inputs * outputs))
        self.there = torch.rand((inputs, outputs), generator=draws) < share
        self.weight = torch.randn((inputs, outputs), generator=draws) * _SCALE * self.there
        self.bias = torch.zeros(outputs)
        self._speed = torch.zeros_like(self.weight)
        self._bias_speed = torch.zeros_like(self.bias)

    def descend(self, gradient: torch.Tensor, bias_gradient: torch.Tensor) -> None:
        """Take one step with momentum, along the connections that are there."""
        self._speed.mul_(_MOMENTUM).sub_(gradient * self.there, alpha=_RATE)
        self._bias_speed.mul_(_MOMENTUM).sub_(bias_gradient, alpha=_RATE)
        self.weight.mul_(1 - _DECAY).add_(self._speed)
        self.bias.mul_(1 - _DECAY).add_(self._bias_speed)

    def move(self, zeta: float, draws: torch.Generator) -> None:
        """Drop the weakest share of positive and of negative weights, and grow as many anew."""
        dropped = torch.zeros_like(self.there)
        for sign in (1.0, -1.0):
            side = self.there & (self.weight * sign > 0)
            count = int(zeta * int(side.sum()))
            if count:
                sizes = self.weight.abs().masked_fill(~side, torch.inf).flatten()
                dropped.view(-1)[sizes.topk(count, largest=False).indices] = True
        free = (~self.there).flatten().nonzero().flatten()  # far more than are dropped
        grown = free[torch.randperm(len(free), generator=draws)[: int(dropped.sum())]]
        self.there &= ~dropped
        self.there.view(-1)[grown] = True
        self.weight *= ~dropped
        self.weight.view(-1)[grown] = torch.randn(len(grown), generator=draws) * _SCALE
        self._speed *= ~dropped
