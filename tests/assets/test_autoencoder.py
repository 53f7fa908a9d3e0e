"""What the auto-encoder is trained on: masks of the shares and shapes that the card tells."""

from __future__ import annotations

import torch

from assets.training.train_autoencoder import drawn_masks
from engine.models.zoo.masked_autoencoder import MaskedAutoencoder, Size


def test_masks_hide_patches_and_in_half_of_them_cells_beside_them() -> None:
    draw = torch.Generator().manual_seed(0)
    shares, partly = [], []
    for _ in range(60):
        keep = drawn_masks(16, draw)
        assert keep.shape == (16, 1, 64, 64)
        cells = keep.reshape(16, 16, 4, 16, 4).transpose(2, 3).reshape(16, 16, 16, 16)
        assert (cells.all(-1) == cells.any(-1)).all()  # nothing finer than 4 pixels
        patches = keep.reshape(16, 8, 8, 8, 8).transpose(2, 3).reshape(16, 8, 8, 64)
        whole = (~patches).all(-1).float().mean(dim=(1, 2))
        shares.append(float(whole.min()))  # hidden entirely: what the patches alone hide
        partly.append(float((patches.any(-1) != patches.all(-1)).any(dim=(1, 2)).float().mean()))
    assert 0.15 < min(shares) < 0.3
    assert 0.8 < max(shares) < 0.95
    assert 0.3 < sum(partly) / len(partly) < 0.6


def test_one_step_of_learning_lowers_the_loss() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = MaskedAutoencoder(Size(side=16, patch=4, width=16, encoder=1, decoder=1, heads=2))
        x = torch.rand(8, 3, 16, 16)
        keep = (torch.rand(8, 1, 4, 4) < 0.5).repeat_interleave(4, 2).repeat_interleave(4, 3)
    optimiser = torch.optim.SGD(module.parameters(), 0.1)
    losses = []
    for _ in range(5):
        loss = (module(x, keep) - x).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]
