"""A module of the user's own, from which networks are built by name."""

from __future__ import annotations

import torch
from torch import nn

from tests.engine.pruning.nets import Depthwise, Drawn, Grouped, Residual, stirred

BUILT: list[int] = []


def build(width: int = 0) -> nn.Module:
    BUILT.append(width)
    with torch.random.fork_rng(devices=[]):
        return stirred(Drawn([Residual, Depthwise, Grouped]))


def unprunable() -> nn.Module:
    """One layer, whose units are the classes."""
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 5))
