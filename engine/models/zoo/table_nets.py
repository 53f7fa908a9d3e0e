"""Small networks for tables: one linear layer, or a few with ReLUs between them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn


class TableLogistic(nn.Module):
    """(n, features) → one logit (n, 1): each weight is what its feature adds to the log-odds."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.linear = nn.Linear(features, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, features) → (n, 1)"""
        return self.linear(x)


class TableMLP(nn.Module):
    """(n, features) → (n, outputs): linear layers, after each but the last a ReLU of its own.

    Args:
        features: how many features a row has.
        hidden: width of each hidden layer.
        outputs: how many logits, or numbers.
    """

    def __init__(self, features: int, hidden: Sequence[int] = (32, 16), outputs: int = 1) -> None:
        super().__init__()
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for place, (fed, width) in enumerate(pairwise((features, *hidden)), start=1):
            layers[f"linear_{place}"] = nn.Linear(fed, width)
            layers[f"relu_{place}"] = nn.ReLU()
        layers["output"] = nn.Linear((features, *hidden)[-1], outputs)
        self.layers = nn.Sequential(layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, features) → (n, outputs)"""
        return self.layers(x)
