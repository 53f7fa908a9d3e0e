"""What methods must find, derived again from the bare network."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from captum.attr import IntegratedGradients
from torch import nn

from tests.engine.soft_masks import soft_masks

Read = Callable[[Any], torch.Tensor]


_AT_ONCE = 16


@dataclass(frozen=True)
class Bare:
    """A network of which the engine knows nothing, in float64.

    Attributes:
        module: a copy.
        read: from what it returns to logits.
        x: the prepared input, ``(1, …)``.
        target: the class that is explained.
    """

    module: nn.Module
    read: Read
    x: torch.Tensor
    target: int

    @cached_property
    def slope(self) -> np.ndarray:
        """The score's gradient at the input, without the axis of samples."""
        x = self.x.clone().requires_grad_()
        return torch.autograd.grad(self.score(x).sum(), x)[0][0].numpy()

    def score(self, batch: torch.Tensor) -> torch.Tensor:
        return self.read(self.module(batch))[:, self.target]

    def scores(self, masks: np.ndarray) -> np.ndarray:
        """Of the input times each of some masks ``(n, rows, columns)``; float64."""
        shares = torch.from_numpy(masks)[:, None].to(self.x)
        with torch.no_grad():
            parts = [self.score(self.x * some) for some in shares.split(_AT_ONCE)]
        return torch.cat(parts).double().numpy()


def bare(module: nn.Module, read: Read, x: torch.Tensor) -> Bare:
    """The class explained is the one that the network finds likeliest."""
    net = Bare(deepcopy(module).double(), read, x.double(), 0)
    with torch.no_grad():
        return replace(net, target=int(read(net.module(net.x))[0].argmax()))


def integrated_gradients(net: Bare, baseline: torch.Tensor, steps: int) -> np.ndarray:
    method = IntegratedGradients(net.score)
    start = baseline.to(net.x).expand_as(net.x)
    return method.attribute(net.x, start, n_steps=steps).detach()[0].numpy()


def occlusion(net: Bare, window: int, stride: int) -> np.ndarray:
    """The mean fall of the score over the windows on each pixel; hidden is zero."""
    side = net.x.shape[-1]
    starts = [0]
    while starts[-1] + window < side:
        starts.append(starts[-1] + stride)
    covers = [_box(side, top, left, window) for top in starts for left in starts]
    hidden = np.stack([np.zeros((side, side)), *covers])
    scores = net.scores(1 - hidden)
    falls = np.einsum("n,nij->ij", scores[0] - scores[1:], hidden[1:])
    return np.broadcast_to(falls / np.maximum(hidden.sum(axis=0), 1), net.x.shape[1:])


def _box(side: int, top: int, left: int, length: int) -> np.ndarray:
    found = np.zeros((side, side))
    found[top : top + length, left : left + length] = 1
    return found


def feature_ablation(net: Bare, cells: int) -> np.ndarray:
    """The fall of the score where each cell of a grid is hidden."""
    side = net.x.shape[-1]
    length = side // cells
    corners = range(0, side, length)
    hidden = np.stack([_box(side, top, left, length) for top in corners for left in corners])
    whole = net.scores(np.ones((1, side, side)))
    falls = np.einsum("n,nij->ij", whole - net.scores(1 - hidden), hidden)
    return np.broadcast_to(falls, net.x.shape[1:])


def lime(net: Bare, samples: int, cells: int) -> np.ndarray:
    """Ridge regression of the scores on which cells of a grid stay, weighted by how many do."""
    side = net.x.shape[-1]
    length = side // cells
    corners = range(0, side, length)
    boxes = np.stack([_box(side, top, left, length) for top in corners for left in corners])
    draws = [np.random.default_rng([0, index]).random(len(boxes)) < 0.5 for index in range(samples)]
    stays = np.stack(draws).astype(float)  # (samples, boxes)
    scores = net.scores(np.einsum("nb,bij->nij", stays, boxes))
    gone = len(boxes) - stays.sum(axis=1)
    weights = np.diag(np.exp(-gone / (2 * 0.75**2 * len(boxes))))
    design = np.column_stack([np.ones(samples), stays])
    ridge = np.diag([0.0] + [1.0] * len(boxes))
    line = np.linalg.solve(design.T @ weights @ design + ridge, design.T @ weights @ scores)
    return np.broadcast_to(np.einsum("b,bij->ij", line[1:], boxes), net.x.shape[1:])


def rise(net: Bare, masks: int, grid: int) -> np.ndarray:
    """Σ score × mask / Σ mask − mean score."""
    shares = soft_masks(0, masks, grid, 0.5, net.x.shape[-1])
    scores = net.scores(shares)
    ratio = np.einsum("n,nij->ij", scores, shares) / shares.sum(axis=0)
    return np.broadcast_to(ratio - scores.mean(), net.x.shape[1:])


def grad_cam(net: Bare, layer: str, channels_last: bool) -> np.ndarray:
    """Σ over channels (and runs) of mean gradient × map."""
    runs: list[torch.Tensor] = []

    def keep(_part: nn.Module, _args: Any, out: torch.Tensor) -> torch.Tensor:
        runs.append(out.clone())
        return runs[-1].clone()  # which what follows may overwrite

    handle = net.module.get_submodule(layer).register_forward_hook(keep)
    try:
        score = net.score(net.x.clone().requires_grad_())
    finally:
        handle.remove()
    slopes = torch.autograd.grad(score.sum(), runs)
    order = "nrkc,nc->rk" if channels_last else "ncrk,nc->rk"
    places = (1, 2) if channels_last else (2, 3)
    return sum(
        torch.einsum(order, maps, slope.mean(dim=places)).detach().numpy()
        for maps, slope in zip(runs, slopes, strict=True)
    )
