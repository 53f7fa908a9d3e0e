"""Single weights: which there are, which stay, and a copy of the network without the others."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from torch import nn

from engine.errors import MethodError
from engine.models.loaded import LoadedModel

# Which weights stay: name of a parameter, as in ``named_parameters`` → bool of its shape.
WeightMasks = Mapping[str, np.ndarray]
Scope = Literal["layer", "global"]

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def prunable_weights(module: nn.Module) -> dict[str, nn.Parameter]:
    """Return the weights of convolutions, linear layers and attention's projections, by name.

    A weight that stands in two layers is there once. Transposed convolutions are left out.
    """
    found: dict[str, nn.Parameter] = {}
    for layer, part in module.named_modules():
        for tensor in _tensors_of(part):
            weight = getattr(part, tensor, None)
            if isinstance(weight, nn.Parameter) and weight.is_floating_point():
                found[f"{layer}.{tensor}" if layer else tensor] = weight
    return _each_once(found)


def _tensors_of(part: nn.Module) -> tuple[str, ...]:
    if isinstance(part, nn.MultiheadAttention):
        return ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight")
    return ("weight",) if isinstance(part, (nn.Linear, *_CONVOLUTIONS)) else ()


def _each_once(found: Mapping[str, nn.Parameter]) -> dict[str, nn.Parameter]:
    known: set[int] = set()
    once = {}
    for name, weight in found.items():
        if id(weight) not in known:
            known.add(id(weight))
            once[name] = weight
    return once


def layer_of(name: str) -> str:
    """Return the layer that holds a weight."""
    return name.rpartition(".")[0]


def keep_best(
    scores: Mapping[str, np.ndarray], ratio: float, scope: Scope = "global"
) -> dict[str, np.ndarray]:
    """Return the masks that keep the weights of the highest scores.

    Args:
        scores: by the weight's name, of its shape.
        ratio: the share of weights to remove, rounded to a whole number of them. Of equal
            scores the later ones go.
        scope: "layer": that share of each; "global": of all together.

    Raises:
        MethodError: a ratio that is not in [0, 1), or would empty a layer.
    """
    if not 0 <= ratio < 1:
        raise MethodError(f"a ratio of {ratio:g}: expected a share from 0 to below 1")
    if scope == "layer":
        masks = {name: _best(one, ratio).reshape(one.shape) for name, one in scores.items()}
    else:
        flat = np.concatenate([one.reshape(-1) for one in scores.values()])
        ends = np.cumsum([one.size for one in scores.values()])[:-1]
        parts = np.split(_best(flat, ratio), ends)
        masks = {
            name: part.reshape(one.shape)
            for (name, one), part in zip(scores.items(), parts, strict=True)
        }
    return {name: _not_empty(scores[name], mask) for name, mask in masks.items()}


def _best(scores: np.ndarray, ratio: float) -> np.ndarray:
    flat = scores.reshape(-1)
    gone = round(ratio * flat.size)
    if not gone:
        return np.ones(flat.size, dtype=bool)
    if gone == flat.size:
        return np.zeros(flat.size, dtype=bool)
    edge = np.partition(flat, gone)[gone]  # the lowest score that stays
    mask: np.ndarray = flat > edge
    equal = np.flatnonzero(flat == edge)
    mask[equal[: flat.size - gone - int(mask.sum())]] = True
    return mask


def _not_empty(scores: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Keep at least the best weight of each layer."""
    if not mask.any():
        mask.reshape(-1)[int(scores.argmax())] = True
    return mask


def removed_share(masks: WeightMasks) -> float:
    """Return the share of the masked weights that goes."""
    total = sum(mask.size for mask in masks.values())
    return 1 - sum(int(mask.sum()) for mask in masks.values()) / max(1, total)


def copy_of(model: LoadedModel, made: str) -> LoadedModel:
    """Return a deep copy of a model with a lock of its own.

    Its reference stays: it tells the architecture, from which it can be saved and loaded.

    Args:
        model: left as it is.
        made: what becomes of it, in a word or two, for its title.
    """
    with model.lock:
        module = deepcopy(model.module)
    card = replace(model.card, title=f"{model.card.title}, {made}")
    return replace(model, module=module, card=card, lock=threading.RLock(), _digest=None)


def masked_copy(model: LoadedModel, masks: WeightMasks, made: str) -> LoadedModel:
    """Return a copy of a model in which the weights that go are zero; as large as before.

    Args:
        model: left as it is.
        masks: of some weights.
        made: what becomes of it, in a word or two, for its title.

    Raises:
        MethodError: a mask of a weight that the model does not have, or of another shape.
    """
    copy = copy_of(model, made)
    weights = prunable_weights(copy.module)
    with torch.no_grad():
        for name, mask in masks.items():
            weight = weights.get(name)
            if weight is None or tuple(weight.shape) != mask.shape:
                had = "no such weight" if weight is None else f"its shape is {tuple(weight.shape)}"
                raise MethodError(f"a mask of shape {mask.shape} for {name!r}: {had}")
            weight.mul_(torch.from_numpy(mask).to(weight))
    return copy
