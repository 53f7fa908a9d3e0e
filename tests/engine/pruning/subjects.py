"""Small networks whose units are judged, and pictures for them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from engine.heads.pictures import Pictures, load_pictures
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from tests.engine import zoo
from tests.engine.attention import nets


class Residual(nn.Module):
    """A way around, read twice and written over in place; a depthwise and a grouped convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.inner = nn.Conv2d(6, 8, 3, padding=1)
        self.deep = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
        self.norm2 = nn.BatchNorm2d(8)
        self.outer = nn.Conv2d(8, 6, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(6)
        self.last = nn.Conv2d(6, 4, 3, stride=2)
        self.relu = nn.ReLU(inplace=True)
        self.head = nn.Linear(4 * 49, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.norm(self.stem(x)))  # (n, 6, 16, 16)
        y = self.relu(self.norm2(self.deep(self.inner(x))))
        x += self.norm3(self.outer(y))
        return self.head(self.relu(self.last(self.relu(x))).flatten(1))


class Mixer(nn.Module):
    """Hidden units of a linear layer that is called token by token, tokens first."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 4, stride=4)
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=False)
        self.blocks = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patches(x).flatten(2).permute(2, 0, 1)  # (16, n, 8)
        return self.head(self.blocks(x).mean(dim=0))


SUBJECTS: dict[str, Callable[[], nn.Module]] = {
    "cnn": zoo.TinyCnn,
    "inplace": zoo.InplaceCnn,
    "residual": Residual,
    "vit": nets.Vit,
    "encoder": nets.Encoder,
    "tokens-first": Mixer,
}


def subject(name: str) -> LoadedModel:
    """A network by name; the same weights each time."""
    return load_model(zoo.seeded(SUBJECTS[name]), input_spec=zoo.PICTURE, device="cpu")


def labelled(model: LoadedModel, count: int = 5, seed: int = 3) -> Pictures:
    """Pictures of noise; every second has no label."""
    pictures = load_pictures(model, zoo.noise(model, count, seed))
    pictures.labels[::2] = np.arange(len(pictures.labels[::2])) % len(model.classes)
    return pictures


def batch_of(pictures: Pictures) -> torch.Tensor:
    """All of them, prepared."""
    return torch.cat([pictures.prepared(number) for number in range(len(pictures))])
