"""Attention rollout derived again: eager attention in float64, dense matrices, their product."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from tests.engine.own_models.vits import HEADS

Maps = list[np.ndarray]  # of each layer, (heads, tokens, tokens)


def rolled_out(maps: Maps) -> np.ndarray:
    """½ A + ½ I of each layer, multiplied: ``(tokens, tokens)``; rows sum to 1."""
    flow = np.eye(maps[0].shape[-1])
    for heads in maps:
        flow = (heads.mean(axis=0) + np.eye(heads.shape[-1])) / 2 @ flow
    return flow


def patches_of(flow: np.ndarray, reads: str, prefix: int) -> np.ndarray:
    """The row of what the head reads, over the patches alone."""
    rows = {"class": flow[0], "patches": flow[prefix:].mean(axis=0)}
    rows["both"] = (rows["class"] + rows["patches"]) / 2
    return rows[reads][prefix:]


@contextmanager
def noting(parts: list[nn.Module], note: Callable[[nn.Module, Any, Any], None]) -> Iterator[None]:
    handles = [part.register_forward_hook(note) for part in parts]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def of_transformers(module: nn.Module, x: torch.Tensor) -> Maps:
    """transformers' own eager attention."""
    module.set_attn_implementation("eager")
    found = module(x, output_attentions=True).attentions
    return [one.detach()[0].numpy() for one in found]


def of_timm(module: nn.Module, x: torch.Tensor) -> Maps:
    """What goes into the dropout behind timm's own softmax."""
    found: Maps = []
    parts = [part for part in module.modules() if hasattr(part, "attn_drop")]
    for part in parts:
        part.fused_attn = False

    def note(_part: nn.Module, args: Any, _out: Any) -> None:
        found.append(args[0].detach()[0].numpy())

    with noting([part.attn_drop for part in parts], note):
        module(x)
    return found


def of_torchvision(module: nn.Module, x: torch.Tensor) -> Maps:
    """``nn.MultiheadAttention``, asked for its weights."""
    found: Maps = []

    def note(part: nn.Module, args: Any, _out: Any) -> None:
        weights = type(part).forward(part, *args, average_attn_weights=False)[1]
        found.append(weights.detach()[0].numpy())

    with noting([p for p in module.modules() if isinstance(p, nn.MultiheadAttention)], note):
        module(x)
    return found


def of_hand_written(module: nn.Module, x: torch.Tensor) -> Maps:
    """softmax(q kᵀ / √channels) from the weights, in numpy."""
    found: Maps = []

    def note(part: nn.Module, args: Any, _out: Any) -> None:
        weight, bias = (one.detach().numpy() for one in part.packed())
        tokens = args[0][0].detach().numpy()
        q, k, _ = np.split(tokens @ weight.T + bias, 3, axis=1)
        heads = zip(np.split(q, HEADS, axis=1), np.split(k, HEADS, axis=1), strict=True)
        scores = np.stack([a @ b.T / np.sqrt(a.shape[1]) for a, b in heads])
        powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
        found.append(powers / powers.sum(axis=-1, keepdims=True))

    with noting([block.attention for block in module.blocks], note):
        module(x)
    return found
