"""A small masked auto-encoder (he2022masked) that paints what is hidden in a picture."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn


@dataclass(frozen=True)
class Size:
    """How large an auto-encoder is.

    Attributes:
        side: of the picture in pixels.
        patch: side of a patch in pixels.
        channels: of the picture.
        width: of a token.
        encoder, decoder: number of blocks.
        heads: attention heads in each block.
        smooth: channels of the convolutions that smooth the patches' seams.
    """

    side: int = 64
    patch: int = 8
    channels: int = 3
    width: int = 96
    encoder: int = 4
    decoder: int = 3
    heads: int = 4
    smooth: int = 16

    @property
    def grid(self) -> int:
        """Patches along each side."""
        return self.side // self.patch


class MaskedAutoencoder(nn.Module):
    """Pictures and what stays of them → pictures, painted where something is hidden.

    The encoder sees no token of a patch that is hidden entirely. A patch that is hidden in part
    enters with the pixels that stay and with its mask, so that any drawing will do (ours).
    """

    def __init__(self, size: Size | None = None) -> None:
        super().__init__()
        self.size = size = size or Size()
        width, tokens = size.width, size.grid**2
        inside = size.patch**2 * (size.channels + 1)
        self.embed = nn.Linear(inside, width)
        self.summary = nn.Parameter(0.02 * torch.randn(1, 1, width))  # so that none is no case
        self.hidden = nn.Parameter(0.02 * torch.randn(1, 1, width))
        self.places = nn.Parameter(0.02 * torch.randn(1, tokens, width))
        self.decoder_places = nn.Parameter(0.02 * torch.randn(1, tokens, width))
        self.encoder = nn.ModuleList(_block(size) for _ in range(size.encoder))
        self.decoder = nn.ModuleList(_block(size) for _ in range(size.decoder))
        self.norm, self.decoder_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.paint = nn.Linear(width, size.patch**2 * size.channels)
        first = nn.Conv2d(size.channels + 1, size.smooth, 3, padding=1)
        last = nn.Conv2d(size.smooth, size.channels, 3, padding=1)
        nn.init.zeros_(last.weight)
        self.smooth = nn.Sequential(first, nn.GELU(), last)

    def forward(self, x: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
        """Paint what is hidden.

        Args:
            x: ``(n, channels, side, side)``, prepared.
            keep: bool ``(n, 1, side, side)``; True = stays.

        Returns:
            The same shape as x: its own values where they stay, painted ones elsewhere.
        """
        painted = self.painted(x, keep)
        smoothed = painted + self.smooth(torch.cat([painted, keep.to(x.dtype)], dim=1))
        return torch.where(keep, x, smoothed)

    def painted(self, x: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
        """Return what ``forward`` does, before the seams between patches are smoothed."""
        stays = keep.to(x.dtype)
        patches = self._patches(torch.cat([x * stays, stays], dim=1))  # (n, t, patch² × 4)
        seen = self._patches(keep).any(dim=2)  # (n, t)
        return torch.where(keep, x, self._pictures(self.paint(self._decoded(patches, seen))))

    def _decoded(self, patches: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        """(n, t, inside), bool (n, t) → (n, t, width)"""
        order = seen.int().argsort(dim=1, descending=True, stable=True)
        most = int(seen.sum(dim=1).max())
        chosen = order[:, :most, None].expand(-1, -1, patches.shape[2])
        place = order[:, :most, None].expand(-1, -1, self.size.width)
        places = self.places.expand(len(patches), -1, -1).gather(1, place)
        tokens = self.embed(patches.gather(1, chosen)) + places  # (n, most, width)
        tokens = torch.cat([self.summary.expand(len(patches), -1, -1), tokens], dim=1)
        absent = ~seen.gather(1, order[:, :most])  # only where others have more
        absent = F.pad(absent, (1, 0), value=False)
        for block in self.encoder:
            tokens = block(tokens, src_key_padding_mask=absent)
        tokens = self.norm(tokens)
        whole = self.hidden.expand(*seen.shape, -1).scatter(1, place, tokens[:, 1:])
        whole = torch.where(seen[:, :, None], whole, self.hidden) + self.decoder_places
        whole = torch.cat([tokens[:, :1], whole], dim=1)
        for block in self.decoder:
            whole = block(whole)
        return self.decoder_norm(whole[:, 1:])

    def _patches(self, picture: torch.Tensor) -> torch.Tensor:
        """(n, c, side, side) → (n, t, patch² × c)"""
        n, channels, side, _ = picture.shape
        grid, patch = side // self.size.patch, self.size.patch
        cut = picture.reshape(n, channels, grid, patch, grid, patch)
        return cut.permute(0, 2, 4, 3, 5, 1).reshape(n, grid**2, -1)

    def _pictures(self, patches: torch.Tensor) -> torch.Tensor:
        """(n, t, patch² × c) → (n, c, side, side)"""
        size = self.size
        cut = patches.reshape(len(patches), size.grid, size.grid, size.patch, size.patch, -1)
        return cut.permute(0, 5, 1, 3, 2, 4).reshape(len(patches), -1, size.side, size.side)


def _block(size: Size) -> nn.Module:
    return nn.TransformerEncoderLayer(
        size.width,
        size.heads,
        dim_feedforward=2 * size.width,
        dropout=0.0,
        activation="gelu",
        batch_first=True,
        norm_first=True,
    )
