"""Units switched off in another way: by hooks, where the layers that read them are given them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd

from engine.models.loaded import LoadedModel
from engine.pruning.units import Groups


def some(groups: Groups, seed: int = 0, share: float = 0.5) -> dict[str, np.ndarray]:
    """Draw which units stay, one at least in each group."""
    draws = np.random.default_rng(seed)
    found = {}
    for group in groups.groups:
        stays = draws.random(group.size) >= share
        stays[draws.integers(group.size)] = True
        found[group.name] = stays
    return found


def samples(model: LoadedModel, count: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    return torch.randn((count, *model.spec.shape), generator=generator)


def hooked(model: LoadedModel, groups: Groups, kept: Mapping[str, np.ndarray]) -> torch.Tensor:
    """Outputs of the whole network with units at zero where layers take them."""
    handles = []
    for group in groups.groups:
        gone = ~kept[group.name]
        for span in group.consumers:
            part = model.module.get_submodule(span.layer)
            places = torch.from_numpy(span.index[gone].ravel())
            handles.append(part.register_forward_pre_hook(_zeroing(part, places)))
    try:
        with torch.no_grad():
            return model.forward(samples(model))
    finally:
        for handle in handles:
            handle.remove()


def _zeroing(part: nn.Module, places: torch.Tensor) -> Any:
    axis = -1 - len(part.kernel_size) if isinstance(part, _ConvNd) else -1

    def hook(_part: nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return (args[0].index_fill(axis, places, 0.0), *args[1:])

    return hook


def apart(one: torch.Tensor, other: torch.Tensor) -> float:
    """Largest difference, as a share of the largest output."""
    return float((one - other).abs().max() / one.abs().max())
