"""A plain convolutional network for digits of 28 × 28 (lecun1998gradient)."""

from __future__ import annotations

import torch
from torch import nn


class DigitsCNN(nn.Module):
    """(n, 1, 28, 28) → logits (n, classes)."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 5, padding=2)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.relu2 = nn.ReLU()
        self.conv3 = nn.Conv2d(32, 48, 3, padding=1)
        self.relu3 = nn.ReLU()
        self.pool2 = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(48, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 1, 28, 28) → (n, classes)"""
        x = self.pool1(self.relu1(self.conv1(x)))  # (n, 16, 14, 14)
        x = self.relu3(self.conv3(self.relu2(self.conv2(x))))  # (n, 48, 14, 14)
        return self.head(self.pool2(x).flatten(1))
