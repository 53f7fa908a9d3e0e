"""Random weights with which every part of a network matters.

Libraries begin with layer scales of a millionth, gates and heads of zero and attention that is
the same everywhere: a test on such a network would pass whatever is computed inside it.
"""

from __future__ import annotations

from math import sqrt

import torch
from torch import nn


@torch.no_grad()
def revive(module: nn.Module, shape: tuple[int, ...], seed: int = 0) -> nn.Module:
    """Draw anew, in place, whatever is constant or very small; the same each time.

    Args:
        module: in eval mode, in which it stays.
        shape: of one sample.
        seed: of all that is drawn.
    """
    draw = torch.Generator().manual_seed(seed)
    for name, parameter in module.named_parameters():
        _revive_parameter(name, parameter, draw)
    _settle(module, torch.randn((8, *shape), generator=draw))
    return module


def _settle(module: nn.Module, batch: torch.Tensor) -> None:
    """Let batch norms take their statistics from a batch, as training would."""
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]
    usual = [norm.momentum for norm in norms]
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
    if norms:
        module(batch)
    for norm, momentum in zip(norms, usual, strict=True):
        norm.eval()
        norm.momentum = momentum


def _revive_parameter(name: str, parameter: torch.Tensor, draw: torch.Generator) -> None:
    constant = bool(parameter.max() == parameter.min())
    weak = parameter.ndim == 1 and "bias" not in name and bool(parameter.abs().mean() < 0.2)
    if constant and "bias" in name:
        parameter.normal_(std=0.2, generator=draw)
    elif constant and parameter.ndim > 1 and parameter.shape[0] == 1:  # a token, places
        parameter.normal_(std=0.5, generator=draw)
    elif constant or weak:  # scales of norms and of layers
        parameter.uniform_(0.5, 1.5, generator=draw)
    elif parameter.ndim > 1:
        wanted = 0.5 if parameter.shape[0] == 1 else 1 / sqrt(parameter[0].numel())
        if parameter.std() < wanted / 2:
            parameter.mul_(wanted / parameter.std())
