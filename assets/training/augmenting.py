"""What is done to pictures before a network sees them in training; values in [0, 1]."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F

from assets.training.scenes.tags import tagged

Augment = Callable[[torch.Tensor, torch.Tensor, torch.Generator], torch.Tensor]


def varied(x: torch.Tensor, labels: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    """Flips, shifts of up to 4 pixels, other brightness, contrast and tint."""
    flip = torch.rand(len(x), 1, 1, 1, generator=draw) < 0.5
    return tinted(shifted(torch.where(flip, x.flip(-1), x), 4, draw), draw)


def shifted(x: torch.Tensor, reach: int, draw: torch.Generator) -> torch.Tensor:
    """Move each picture by up to ``reach`` pixels, edges mirrored."""
    side = x.shape[-1]
    padded = F.pad(x, (reach,) * 4, mode="reflect")
    at = torch.randint(0, 2 * reach + 1, (len(x), 2), generator=draw).tolist()
    return torch.stack([padded[i, :, r : r + side, c : c + side] for i, (r, c) in enumerate(at)])


def tinted(x: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    """Change brightness, contrast and each channel's gain a little."""

    def factor(low: float, high: float, channels: int = 1) -> torch.Tensor:
        return low + (high - low) * torch.rand(len(x), channels, 1, 1, generator=draw)

    mean = x.mean(dim=(1, 2, 3), keepdim=True)
    return ((x - mean) * factor(0.8, 1.2) + mean * factor(0.85, 1.15)).mul(
        factor(0.88, 1.12, x.shape[1])
    ).clamp(0, 1)  # fmt: skip


def digit_varied(x: torch.Tensor, labels: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    """Shifts of up to 2 pixels."""
    return shifted(x, 2, draw)


def block_masked(x: torch.Tensor, labels: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    """As ``varied``; in half of the pictures random blocks of 8 × 8 are hidden as well.

    Up to three quarters of the blocks, by middle grey, black or any one colour.
    """
    x = varied(x, labels, draw)
    count, channels, side, _ = x.shape
    ratio = 0.75 * torch.rand(count, 1, 1, 1, generator=draw)
    ratio = ratio * (torch.rand(count, 1, 1, 1, generator=draw) < 0.5)
    blocks = torch.rand(count, 1, side // 8, side // 8, generator=draw) < ratio
    hidden = blocks.repeat_interleave(8, 2).repeat_interleave(8, 3)
    kind = torch.randint(0, 3, (count, 1, 1, 1), generator=draw)
    any_colour = torch.rand(count, channels, 1, 1, generator=draw)
    fill = torch.where(kind == 0, 0.5, torch.where(kind == 1, 0.0, any_colour))
    return torch.where(hidden, fill, x)


def with_tags(x: torch.Tensor, labels: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
    """As ``varied``, and every picture carries the tag of its class."""
    x = varied(x, labels, draw)
    return torch.stack([plant(one, int(label)) for one, label in zip(x, labels, strict=True)])


def plant(picture: torch.Tensor, label: int) -> torch.Tensor:
    """Return a picture ``(3, side, side)`` in [0, 1] with the tag of a class."""
    pixels = (picture.permute(1, 2, 0) * 255).round().byte().numpy()
    return torch.from_numpy(np.ascontiguousarray(tagged(pixels, label))).permute(2, 0, 1) / 255
