"""A small vision transformer with a convolutional stem and a class token (dosovitskiy2021image)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass(frozen=True)
class Shape:
    """How large a transformer is.

    Attributes:
        side: of the picture in pixels.
        channels: of the picture.
        stem: output channels of the stem's convolutions, each of stride 2.
        width: of a token.
        depth: number of blocks.
        heads: attention heads in each block.
        mlp: hidden units of a block's MLP, as a multiple of the width.
    """

    side: int
    channels: int
    stem: tuple[int, ...]
    width: int
    depth: int
    heads: int
    mlp: int = 2

    @property
    def grid(self) -> int:
        """Patches along each side."""
        return self.side // 2 ** len(self.stem)


class Attention(nn.Module):
    """Self-attention: tokens (n, t, width) → (n, t, width)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, t, width) → (n, t, width)"""
        n, tokens, width = x.shape
        parts = self.qkv(x).reshape(n, tokens, 3, self.heads, width // self.heads)
        q, k, v = parts.permute(2, 0, 3, 1, 4)  # each (n, heads, t, width / heads)
        mixed = F.scaled_dot_product_attention(q, k, v)
        return self.proj(mixed.transpose(1, 2).reshape(n, tokens, width))


class Block(nn.Module):
    """Attention and MLP, each behind a norm and with a way around it."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.width
        self.norm1 = nn.LayerNorm(width)
        self.attn = Attention(width, shape.heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, shape.mlp * width), nn.GELU(), nn.Linear(shape.mlp * width, width)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, t, width) → (n, t, width)"""
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class SmallViT(nn.Module):
    """(n, channels, side, side) → logits (n, classes), read from the class token."""

    def __init__(self, shape: Shape, classes: int = 10) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = shape.channels
        for outputs in shape.stem:
            layers += [nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False), nn.BatchNorm2d(outputs),
                       nn.ReLU()]  # fmt: skip
            inputs = outputs
        self.patch_embed = nn.Sequential(*layers, nn.Conv2d(inputs, shape.width, 1))
        self.cls_token = nn.Parameter(torch.zeros(1, 1, shape.width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + shape.grid**2, shape.width))
        nn.init.trunc_normal_(self.cls_token, std=0.02)
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        self.blocks = nn.Sequential(*(Block(shape) for _ in range(shape.depth)))
        self.norm = nn.LayerNorm(shape.width)
        self.head = nn.Linear(shape.width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, channels, side, side) → (n, classes)"""
        patches = self.patch_embed(x).flatten(2).transpose(1, 2)  # (n, grid², width)
        tokens = torch.cat([self.cls_token.expand(len(x), -1, -1), patches], dim=1)
        tokens = self.norm(self.blocks(tokens + self.pos_embed))
        return self.head(tokens[:, 0])


SCENES = Shape(side=64, channels=3, stem=(24, 48, 96), width=96, depth=6, heads=6)
DIGITS = Shape(side=28, channels=1, stem=(32, 64), width=64, depth=4, heads=4)
