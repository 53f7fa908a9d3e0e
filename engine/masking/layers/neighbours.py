"""Neighbour padding (balasubramanian2023towards): what a convolution sees at the mask's rim."""

from __future__ import annotations

import torch

_EPSILON = 1e-5


def padded_by_neighbours(x: torch.Tensor, mask: torch.Tensor, times: int) -> torch.Tensor:
    """Fill hidden places from the rim inwards, one ring of cells at a time.

    Each time the hidden cells get 3×3-sum(x) / (3×3-sum(m) + 1e-5), and the mask grows by its
    3×3 dilation. No gradient goes through what is filled in.

    Args:
        x: ``(n, channels, rows, columns)``, 0 where hidden.
        mask: bool ``(n, 1 or channels, rows, columns)``; True = stays.
        times: how many rings.
    """
    with torch.no_grad():
        filled = _filled(x, mask.to(x.dtype), times)
    return torch.where(mask, x, filled) if x.requires_grad else filled


def _filled(x: torch.Tensor, stays: torch.Tensor, times: int) -> torch.Tensor:
    x = x.clone()
    for _ in range(times):
        if bool((stays == 1).all()):
            break
        around = _sum_of_nine(stays)
        # Where nothing is around the sum is 0; 1 / 1e-5 is past the largest half-precision number.
        share = (1 - stays) / torch.where(around > 0, around + _EPSILON, 1)
        x.addcmul_(_sum_of_nine(x), share)
        stays = (around > 0).to(x.dtype)
    return x


def _sum_of_nine(x: torch.Tensor) -> torch.Tensor:
    """Sum over each cell and its eight neighbours; outside there is nothing."""
    rows = x.clone()
    rows[:, :, 1:] += x[:, :, :-1]
    rows[:, :, :-1] += x[:, :, 1:]
    found = rows.clone()
    found[..., 1:] += rows[..., :-1]
    found[..., :-1] += rows[..., 1:]
    return found
