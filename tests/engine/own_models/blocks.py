"""Blocks of which small architectures are drawn: each takes maps and returns maps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

WIDTH = 8


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(WIDTH, WIDTH, 3, padding=1)
        self.norm = nn.BatchNorm2d(WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.norm(self.conv(x)))


class Residual(Plain):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.norm(self.conv(F.gelu(x)))


class InPlace(Plain):
    """One ReLU, used twice, that overwrites what it is given; so does the sum."""

    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.conv(self.relu(self.norm(self.conv(x))))
        out += x
        return self.relu(out)


class Depthwise(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.depth = nn.Conv2d(WIDTH, WIDTH, 3, padding=1, groups=WIDTH)
        self.point = nn.Conv2d(WIDTH, WIDTH, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.hardswish(self.point(self.depth(x)))


class Concat(nn.Module):
    """Keeps half of what comes in beside what it makes of it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(WIDTH, WIDTH // 2, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x[:, : WIDTH // 2], torch.tanh(self.conv(x))], dim=1)


class SqueezeExcite(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.less, self.more = nn.Conv2d(WIDTH, 2, 1), nn.Conv2d(2, WIDTH, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean = x.mean(dim=(2, 3), keepdim=True)
        return x * torch.sigmoid(self.more(F.silu(self.less(mean))))


class Halved(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.max_pool2d(x, 2) if x.shape[-1] > 4 else x


class Attending(nn.Module):
    """Attention between all places of the maps; subclasses say how it is computed."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = x.flatten(2).transpose(1, 2)
        mixed = self.mixed(self.norm(tokens))
        return (tokens + mixed).transpose(1, 2).reshape(x.shape)

    def mixed(self, tokens: torch.Tensor) -> torch.Tensor:
        q, k, v = self.qkv(tokens).unflatten(-1, (3, 2, -1)).permute(2, 0, 3, 1, 4)
        return self.out(self.attended(q, k, v).transpose(1, 2).flatten(2))

    def attended(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return F.scaled_dot_product_attention(q, k, v)


class ByHand(Attending):
    def attended(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        scores = torch.einsum("nhqc,nhkc->nhqk", q, k) / q.shape[-1] ** 0.5
        return torch.einsum("nhqk,nhkc->nhqc", scores.softmax(dim=-1), v)


class Packed(Attending):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(WIDTH, 2, batch_first=True)

    def mixed(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.attention(tokens, tokens, tokens)[0]


BLOCKS: tuple[type[nn.Module], ...] = (
    Plain, Residual, InPlace, Depthwise, Concat, SqueezeExcite, Halved, Attending, ByHand, Packed,
)  # fmt: skip

ENDS: dict[str, Callable[[torch.Tensor, torch.Tensor], Any]] = {
    "tensor": lambda logits, _maps: logits,
    "dict": lambda logits, maps: {"maps": maps, "scores": logits},
    "tuple": lambda logits, maps: (maps, logits),
    "one number": lambda logits, _maps: logits[:, 0],
    "softmax": lambda logits, _maps: logits.softmax(dim=1),
}


class Drawn(nn.Module):
    """A stem, blocks, and a head that reads the mean of the maps."""

    def __init__(self, channels: int, blocks: list[type[nn.Module]], classes: int, end: str):
        super().__init__()
        self.stem = nn.Conv2d(channels, WIDTH, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList(block() for block in blocks)
        self.head = nn.Linear(WIDTH, classes)
        self.end = end

    def forward(self, x: torch.Tensor) -> Any:
        x = self.stem(x)
        for block in self.blocks:
            x = block(x)
        return ENDS[self.end](self.head(x.mean(dim=(2, 3))), x)
