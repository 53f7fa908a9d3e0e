"""A small residual network for pictures of 64 × 64 (he2016deep)."""

from __future__ import annotations

import torch
from torch import nn

WIDTHS = (24, 48, 96)


class Block(nn.Module):
    """Two convolutions and a way around them: (n, i, h, w) → (n, o, h / stride, w / stride)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.relu2 = nn.ReLU()
        self.around: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.around = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, i, h, w) → (n, o, h / stride, w / stride)"""
        y = self.relu1(self.norm1(self.conv1(x)))
        return self.relu2(self.norm2(self.conv2(y)) + self.around(x))


class ScenesResNet(nn.Module):
    """(n, 3, 64, 64) → logits (n, classes); the last maps are 16 × 16."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        first, second, third = WIDTHS
        self.stem = nn.Sequential(
            nn.Conv2d(3, first, 5, 2, 2, bias=False), nn.BatchNorm2d(first), nn.ReLU()
        )
        self.layer1 = Block(first, first)
        self.layer2 = Block(first, second, 2)
        self.layer3 = Block(second, third)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(third, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 3, 64, 64) → (n, classes)"""
        x = self.stem(x)  # (n, 24, 32, 32)
        x = self.layer3(self.layer2(self.layer1(x)))  # (n, 96, 16, 16)
        return self.head(self.pool(x).flatten(1))
