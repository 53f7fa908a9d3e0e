"""Networks as people write them by hand, one thing that may be odd about each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn


class Trunk(nn.Module):
    """Two convolutions; the second halves the sides."""

    def __init__(self, channels: int = 3, width: int = 8) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=2, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.conv2(x))


def sequential() -> nn.Module:
    """Takes 32 × 32 pixels and nothing else."""
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(8 * 8 * 8, 4),
    )


class Cnn(nn.Module):
    """The side of its input is fixed by its head."""

    def __init__(self, channels: int = 3, classes: int = 4, side: int = 32) -> None:
        super().__init__()
        self.trunk = Trunk(channels)
        self.head = nn.Linear(8 * (side // 2) ** 2, classes)

    def forward(self, x: torch.Tensor) -> Any:
        return self.head(self.trunk(x).flatten(1))


class OneNumber(Cnn):
    """Returns one number for each sample, without an axis of classes."""

    def __init__(self) -> None:
        super().__init__(classes=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x)[:, 0]


class MultiLabel(Cnn):
    """Gated in the middle, and ends in a sigmoid of its own."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = self.trunk(x)
        maps = maps * torch.sigmoid(maps.mean(dim=(2, 3), keepdim=True))
        return torch.sigmoid(self.head(maps.flatten(1)))


class Twice(Cnn):
    """Sees the picture and its mirror image with the same trunk."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        both = self.trunk(x) + self.trunk(x.flip(-1))
        return self.head(both.flatten(1))


class InDict(Cnn):
    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        maps = self.trunk(x)
        return {"maps": maps, "scores": self.head(maps.flatten(1))}


class InTuple(Cnn):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        maps = self.trunk(x)
        return maps, self.head(maps.flatten(1))


@dataclass
class Answer:
    loss: torch.Tensor | None
    logits: torch.Tensor


class InDataclass(Cnn):
    def forward(self, x: torch.Tensor) -> Answer:
        return Answer(None, super().forward(x))


class Cells(nn.Module):
    """Fully convolutional: its logits have axes of one cell, ``(n, classes, 1, 1)``."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Trunk()
        self.head = nn.Conv2d(8, 4, 16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.trunk(x))
