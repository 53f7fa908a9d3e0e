"""Rollout of windowed attention derived again: each layer as one dense matrix of all tokens."""

from __future__ import annotations

from math import ceil, isqrt
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from tests.engine.own_models.rollouts import Maps, noting

Windows = tuple[int, int, int]  # side of the tokens' grid and of a window; how far it is rolled


def windowed_rollout(maps: Maps, layers: list[Windows]) -> np.ndarray:
    """What all last tokens together get from each token of the first layer, ``(side, side)``.

    Args:
        maps: of each layer, ``(windows, heads, slots, slots)``.
        layers: their windows.
    """
    before = layers[0][0]
    flow = np.eye(before**2)
    for heads, (side, window, shift) in zip(maps, layers, strict=True):
        if side < before:
            flow = _merging(before) @ flow
        before = side
        dense = _dense(heads.mean(axis=1), side, window, shift)
        flow = (dense + np.eye(len(dense))) / 2 @ flow
    return flow.mean(axis=0).reshape(isqrt(flow.shape[1]), -1)


def _merging(side: int) -> np.ndarray:
    """Each token of the next grid is a quarter of each of the four it is made of."""
    half = side // 2
    found = np.zeros((half, half, side, side))
    for row in range(side):
        for column in range(side):
            found[row // 2, column // 2, row, column] = 0.25
    return found.reshape(half**2, side**2)


def _dense(fused: np.ndarray, side: int, window: int, shift: int) -> np.ndarray:
    """Attention within windows ``(windows, slots, slots)`` as a matrix of all tokens.

    The grid is padded to whole windows and rolled; what goes to padding is left out.
    """
    across = ceil(side / window)
    numbers = np.full((across * window,) * 2, -1)
    numbers[:side, :side] = np.arange(side**2).reshape(side, side)
    rolled = np.roll(numbers, (-shift, -shift), axis=(0, 1))
    dense = np.zeros((side**2, side**2))
    for index, weights in enumerate(fused):
        top, left = index // across * window, index % across * window
        slots = rolled[top : top + window, left : left + window].ravel()
        real = slots >= 0
        kept = weights[np.ix_(real, real)]
        dense[np.ix_(slots[real], slots[real])] = kept / kept.sum(axis=1, keepdims=True)
    return dense


def _softmaxes(module: nn.Module, x: torch.Tensor) -> Maps:
    """All that ``F.softmax`` returns in a pass."""
    maps: Maps = []
    softmax = F.softmax

    def noted(scores: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        found = softmax(scores, *args, **kwargs)
        maps.append(found.detach().numpy())
        return found

    with patch.object(F, "softmax", noted):
        module(x)
    return maps


def of_transformers(module: nn.Module, x: torch.Tensor) -> np.ndarray:
    module.set_attn_implementation("eager")
    maps = _softmaxes(module, x)
    stages = [stage.blocks for stage in module.swin.encoder.layers]
    layers = [
        (x.shape[-1] // 4 // 2**index, int(block.window_size), int(block.shift_size))
        for index, blocks in enumerate(stages)
        for block in blocks
    ]
    return windowed_rollout(maps, layers)


def of_timm(module: nn.Module, x: torch.Tensor) -> np.ndarray:
    maps: Maps = []
    stages = [stage.blocks for stage in module.layers]
    blocks = [block for stage in stages for block in stage]
    for block in blocks:
        block.attn.fused_attn = False

    def note(_part: nn.Module, args: Any, _out: Any) -> None:
        maps.append(args[0].detach().numpy())

    with noting([block.attn.attn_drop for block in blocks], note):
        module(x)
    layers = [
        (x.shape[-1] // 4 // 2**index, block.window_size[0], block.shift_size[0])
        for index, stage in enumerate(stages)
        for block in stage
    ]
    return windowed_rollout(maps, layers)


def of_torchvision(module: nn.Module, x: torch.Tensor) -> np.ndarray:
    maps = _softmaxes(module, x)
    stages = [part for part in module.features if isinstance(part, nn.Sequential)][1:]
    layers = []
    for index, stage in enumerate(stages):
        side = x.shape[-1] // 4 // 2**index
        for block in stage:
            window, shift = block.attn.window_size[0], block.attn.shift_size[0]
            layers.append((side, window, shift if side > window else 0))
    return windowed_rollout(maps, layers)
