"""Vision transformers written by hand, which compute their attention in three ways."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

WIDTH, HEADS, SIDE, PATCH = 16, 2, 32, 8


class Packed(nn.Module):
    """Attention by ``nn.MultiheadAttention``."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.attention(x, x, x, need_weights=False)[0]

    def packed(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Weights and biases of queries, keys and values, one below the other."""
        return self.attention.in_proj_weight, self.attention.in_proj_bias


class Fused(nn.Module):
    """Attention by ``F.scaled_dot_product_attention``."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = self.qkv(x).unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        return self.out(self.mixed(q, k, v).transpose(1, 2).flatten(2))

    def mixed(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """Each ``(n, heads, tokens, channels)``."""
        return F.scaled_dot_product_attention(q, k, v)

    def packed(self) -> tuple[torch.Tensor, torch.Tensor]:
        """As of ``Packed``."""
        return self.qkv.weight, self.qkv.bias


class ByHand(Fused):
    """Attention by einsum and softmax."""

    def mixed(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        scores = torch.einsum("nhqc,nhkc->nhqk", q, k) / q.shape[-1] ** 0.5
        return torch.einsum("nhqk,nhkc->nhqc", scores.softmax(dim=-1), v)


class Block(nn.Module):
    def __init__(self, attention: type[Packed] | type[Fused]) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(WIDTH)
        self.attention = attention()
        self.norm2 = nn.LayerNorm(WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 32), nn.GELU(), nn.Linear(32, WIDTH))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Vit(nn.Module):
    """A class token and 4 × 4 patches of 8 pixels; three blocks."""

    def __init__(self, attention: type[Packed] | type[Fused]) -> None:
        super().__init__()
        patches = (SIDE // PATCH) ** 2
        self.patches = nn.Conv2d(3, WIDTH, PATCH, stride=PATCH)
        self.token = nn.Parameter(torch.randn(1, 1, WIDTH))
        self.places = nn.Parameter(torch.randn(1, patches + 1, WIDTH))
        self.blocks = nn.Sequential(*(Block(attention) for _ in range(3)))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], dim=1) + self.places
        return self.head(self.norm(self.blocks(x))[:, 0])
