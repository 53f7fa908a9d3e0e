"""Tiny-VGG in the shape that CNN Explainer teaches (wang2020cnn)."""

from __future__ import annotations

import torch
from torch import nn

HIDDEN = 10


class TinyVGG(nn.Module):
    """(n, 3, 64, 64) → logits (n, classes): twice conv, ReLU, conv, ReLU, pool; no padding."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.conv_1_1 = nn.Conv2d(3, HIDDEN, 3)
        self.relu_1_1 = nn.ReLU()
        self.conv_1_2 = nn.Conv2d(HIDDEN, HIDDEN, 3)
        self.relu_1_2 = nn.ReLU()
        self.max_pool_1 = nn.MaxPool2d(2)
        self.conv_2_1 = nn.Conv2d(HIDDEN, HIDDEN, 3)
        self.relu_2_1 = nn.ReLU()
        self.conv_2_2 = nn.Conv2d(HIDDEN, HIDDEN, 3)
        self.relu_2_2 = nn.ReLU()
        self.max_pool_2 = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.output = nn.Linear(HIDDEN * 13 * 13, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 3, 64, 64) → (n, classes)"""
        x = self.relu_1_1(self.conv_1_1(x))  # (n, 10, 62, 62)
        x = self.max_pool_1(self.relu_1_2(self.conv_1_2(x)))  # (n, 10, 30, 30)
        x = self.relu_2_1(self.conv_2_1(x))  # (n, 10, 28, 28)
        x = self.max_pool_2(self.relu_2_2(self.conv_2_2(x)))  # (n, 10, 13, 13)
        return self.output(self.flatten(x))
