"""Transformers of several makes, small and with known weights."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from tests.engine import zoo


class Block(nn.Module):
    """Attention by torch's function, without MLP."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = self.qkv(self.norm(x)).unflatten(-1, (3, self.heads, -1))
        q, k, v = parts.permute(2, 0, 3, 1, 4)  # each (n, heads, tokens, width / heads)
        mixed = F.scaled_dot_product_attention(2 * q, 2 * k, v)
        return x + self.out(mixed.transpose(1, 2).flatten(2))


class Vit(nn.Module):
    """``prefix`` tokens before the patches; the score is read from the first, or from all."""

    def __init__(self, prefix: int = 1, depth: int = 3, patch: tuple[int, int] = (4, 4)) -> None:
        super().__init__()
        self.prefix = prefix
        self.patches = nn.Conv2d(3, 8, patch, stride=patch)
        self.tokens = nn.Parameter(torch.randn(1, prefix, 8))
        self.blocks = nn.Sequential(*(Block(8, 2) for _ in range(depth)))
        self.head = nn.Linear(8, 3)

    def embedded(self, x: torch.Tensor) -> torch.Tensor:
        patches = self.patches(x).flatten(2).transpose(1, 2)
        return torch.cat([self.tokens.expand(len(x), -1, -1), patches], dim=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(self.embedded(x))
        return self.head(x[:, 0] if self.prefix else x.mean(dim=1))


class Encoder(Vit):
    """The same with torch's own encoder, which has a fast path of its own."""

    def __init__(self, prefix: int = 1) -> None:
        super().__init__(prefix)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.blocks = nn.TransformerEncoder(layer, 2)


class Windowed(Vit):
    """Attends within windows of four tokens."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = self.embedded(x)  # (n, 16, 8)
        mixed = self.blocks(tokens.reshape(-1, 4, 8)).reshape(tokens.shape)
        return self.head(mixed.mean(dim=1))


class Pooling(Vit):
    """Has fewer tokens after the first block."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, *others = self.blocks
        x = first(self.embedded(x))[:, ::2]
        for block in others:
            x = block(x)
        return self.head(x.mean(dim=1))


class Linear(Vit):
    """Cuts patches without a convolution; the tokens make no map anywhere."""

    def __init__(self, side: int = 4) -> None:
        super().__init__()
        self.side = side
        self.patches = nn.Linear(3 * 16 * 16 // side**2, 8)

    def embedded(self, x: torch.Tensor) -> torch.Tensor:
        size = 16 // self.side
        cut = x.unfold(2, size, size).unfold(3, size, size)  # (n, 3, side, side, size, size)
        patches = self.patches(cut.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2))
        return torch.cat([self.tokens.expand(len(x), -1, -1), patches], dim=1)


def load(module: type[Vit], *args: object) -> LoadedModel:
    built = zoo.seeded(lambda: module(*args))
    return load_model(built, input_spec=zoo.PICTURE, device="cpu")
