"""A small convolutional auto-encoder that brings maps to codes of 32 numbers."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.utils import skip_init

WIDTH = 32
EPOCHS = 30
_BATCH, _RATE = 64, 2e-3
_MOST = 512  # maps in one time through; of more as many are drawn
_CHANNELS = (8, 16)


class AutoEncoder(nn.Module):
    """(n, 1, side, side) → the same by way of a code of 32 numbers.

    Args:
        side: of the maps; brought to a multiple of four with zeros at the ends.
        draws: of the first weights.
    """

    def __init__(self, side: int, draws: torch.Generator) -> None:
        super().__init__()
        first, second = _CHANNELS
        self.side = side
        self.padding = -side % 4
        small = (side + self.padding) // 4
        self.encoder = nn.Sequential(
            _bare(nn.Conv2d, 1, first, 3, 2, 1), nn.GELU(),
            _bare(nn.Conv2d, first, second, 3, 2, 1), nn.GELU(),
            nn.Flatten(), _bare(nn.Linear, second * small**2, WIDTH),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            _bare(nn.Linear, WIDTH, second * small**2), nn.GELU(),
            nn.Unflatten(1, (second, small, small)),
            _bare(nn.ConvTranspose2d, second, first, 4, 2, 1), nn.GELU(),
            _bare(nn.ConvTranspose2d, first, 1, 4, 2, 1),
        )  # fmt: skip
        for weight in self.parameters():
            fan = weight[0].numel() if weight.ndim > 1 else 0
            drawn = torch.randn(weight.shape, generator=draws) * (2 / max(1, fan)) ** 0.5
            weight.data = drawn if fan else torch.zeros_like(weight)

    def encode(self, maps: torch.Tensor) -> torch.Tensor:
        """(n, 1, side, side) → (n, 32)"""
        ends = (0, self.padding, 0, self.padding)
        return self.encoder(nn.functional.pad(maps, ends))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(n, 1, side, side) → (n, 1, side, side)"""
        return self.decoder(self.encode(maps))[..., : self.side, : self.side]


def _bare(kind: type[nn.Module], *sizes: int) -> nn.Module:
    """Make a layer without drawing its weights from the generator that all share."""
    return skip_init(kind, *sizes)


def codes_of(
    maps: torch.Tensor, seed: int, step: Callable[[], None], epochs: int = EPOCHS
) -> tuple[torch.Tensor, list[float]]:
    """Train on maps and return their codes.

    Args:
        maps: float32 ``(n, side, side)``, on the CPU, of unit variance or so.
        seed: of the first weights and the order of the maps.
        step: called after each time through the maps; may raise.
        epochs: times through the maps, at most 512 of them each time.

    Returns:
        float32 ``(n, 32)``, and the mean squared error of each time through.
    """
    draws = torch.Generator().manual_seed(seed)
    network = AutoEncoder(maps.shape[-1], draws)
    rule = torch.optim.Adam(network.parameters(), _RATE)
    given = maps[:, None]
    losses = []
    with torch.enable_grad():
        for _ in range(epochs):
            total = 0.0
            order = torch.randperm(len(given), generator=draws)[:_MOST]
            for chosen in order.split(_BATCH):
                batch = given[chosen]
                loss = (network(batch) - batch).square().mean()
                rule.zero_grad()
                loss.backward()
                rule.step()
                total += float(loss.detach()) * len(chosen)
            losses.append(total / len(order))
            step()
    with torch.inference_mode():
        return network.encode(given), losses
