"""Trains what paints hidden parts of scenes: ``python -m assets.training.train_autoencoder``."""

from __future__ import annotations

import math
import time

import torch

from assets.training import augmenting, data
from assets.training.fitting import as_tensor
from engine.models.zoo.masked_autoencoder import MaskedAutoencoder
from engine.models.zoo.shipped import SCENES_SPEC as SPEC

TRAINING, BATCH, RATE, SEED = 20_000, 32, 1e-3, 0
EPOCHS, SMOOTHED = 16, 4  # seams are smoothed in the last few only: it costs as much again


def drawn_masks(count: int, draw: torch.Generator) -> torch.Tensor:
    """Draw masks, bool ``(count, 1, 64, 64)``, all with one share of their patches hidden.

    Patches of 8 pixels, a third of the time joined two by two; in half of the masks cells of
    4 pixels are hidden beside them, so that patches are hidden in part.
    """
    coarse = 4 if torch.rand((), generator=draw) < 1 / 3 else 8
    hidden = round(float(0.2 + 0.7 * torch.rand((), generator=draw)) * coarse**2)
    noise = torch.rand(count, coarse**2, generator=draw)
    keep = noise.argsort(1).argsort(1) >= hidden
    keep = _enlarged(keep.reshape(count, 1, coarse, coarse), 64 // coarse)
    share = 0.6 * torch.rand(count, 1, 1, 1, generator=draw)
    share = share * (torch.rand(count, 1, 1, 1, generator=draw) < 0.5)
    cells = torch.rand(count, 1, 16, 16, generator=draw) >= share
    return keep & _enlarged(cells, 4)


def _enlarged(keep: torch.Tensor, side: int) -> torch.Tensor:
    return keep.repeat_interleave(side, 2).repeat_interleave(side, 3)


def fit(module: MaskedAutoencoder, epochs: int = EPOCHS) -> None:
    """Train in place on the squared error of hidden pixels."""
    pictures, labels = data.scenes(data.TRAIN, TRAINING)
    targets = torch.from_numpy(labels)
    draw = torch.Generator().manual_seed(SEED)
    optimiser = torch.optim.AdamW(module.parameters(), RATE, weight_decay=0.05)
    steps = epochs * math.ceil(TRAINING / BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min((step + 1) / 300, 0.5 * (1 + math.cos(math.pi * step / steps))),
    )
    for epoch in range(epochs):
        began, losses = time.perf_counter(), 0.0
        paint = module if epoch >= epochs - SMOOTHED else module.painted
        module.train()
        for rows in torch.randperm(TRAINING, generator=draw).split(BATCH):
            x = augmenting.varied(as_tensor(pictures[rows.numpy()]), targets[rows], draw)
            x, keep = SPEC.normalise(x), drawn_masks(len(rows), draw)
            hidden = (~keep).expand_as(x).float()
            loss = ((paint(x, keep) - x).square() * hidden).sum() / hidden.sum()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            losses += float(loss.detach()) * len(rows)
        print(
            f"epoch {epoch + 1}/{epochs}: loss {losses / TRAINING:.4f}, "
            f"{time.perf_counter() - began:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    module = MaskedAutoencoder()
    fit(module)
    torch.save(module.state_dict(), "/tmp/mae.pt")
