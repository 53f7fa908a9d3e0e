"""Rules for what works on each place by itself: functions, norms over channels, sums, gates."""

from __future__ import annotations

from typing import Any

import torch

from engine.execution.call_names import ACTIVATIONS, FUNCTIONS, words
from engine.masking.layers.kept import Kept, Met, NoRule, Ruled, hide, hide_finite

# 0 in, 0 out: what is hidden stays 0 by itself.
_ZERO_STAYS = words("""
    relu relu6 leaky_relu prelu rrelu elu selu celu tanh gelu silu mish hardswish softsign
    tanhshrink softshrink hardshrink neg negative positive clone contiguous to type type_as float
    double half bfloat16 cpu cuda detach alias dropout dropout1d dropout2d dropout3d alpha_dropout
    feature_dropout feature_alpha_dropout mul multiply rmul
""")
# Of finite numbers comes a finite number, in memory of its own or that of the first argument.
_FINITE = words("batch_norm add radd sub rsub subtract")
_TWO = words("""
    add radd sub rsub subtract mul multiply rmul div divide true_divide truediv maximum minimum
    fmax fmin addcmul
""")
# Named anew here since each is of one number, whatever else it is given.
_ONE = _ZERO_STAYS | words("batch_norm nan_to_num masked_fill")
POINTWISE = ACTIVATIONS | FUNCTIONS | _TWO | _ONE


def pointwise(met: Met) -> Ruled:
    """op(x·m)·m, the mask unchanged; of two maps, kept is what both keep (m_a · m_b).

    For activations and batch norm as published, and so for residual sums; GELU, products and
    gates are ours: a gate that comes from the global pool has no mask, and the map's own stays.
    """
    if met.name == "batch_norm" and met.argument(5, "training", False):
        raise NoRule("calls batch_norm with the statistics of the batch")
    found = met.run()
    if not isinstance(found, torch.Tensor):
        raise NoRule(f"calls {met.name}")
    mask, same = met.mask, True
    for other in met.kept[1:]:
        same = same and other.mask is mask
        mask = mask if other.mask is mask else mask & other.mask
    if mask.ndim != found.ndim:
        raise NoRule(f"calls {met.name} on tensors with different numbers of axes")
    if met.name not in _ZERO_STAYS or not _finite_factors(met) or not same:
        found = hide_finite(found, mask) if met.name in _FINITE else hide(found, mask, met)
    border = met.kept[0].border if met.name in ("clone", "contiguous", "detach") else None
    return found, Kept(mask, border)


def _finite_factors(met: Met) -> bool:
    """Whether 0 times a number in a product is 0, as far as can be told without looking."""
    return (
        met.name not in ("mul", "multiply", "rmul")
        or len(met.held) > 1
        or not any(
            isinstance(one, float) and one in (float("inf"), float("-inf")) for one in met.args
        )
    )


def normalised(met: Met) -> Ruled:
    """Layer norm over channels: op(x·m)·m (ours). Over places as well there is no rule."""
    x, mask = met.x, met.mask
    axes = len(met.argument(1, "normalized_shape"))
    if any(length > 1 for length in mask.shape[x.ndim - axes :]):
        raise NoRule(f"calls {met.name} over places, not over channels alone")
    return hide(met.run(), mask, met), Kept(mask)


def softmax(met: Met) -> Ruled:
    """Over channels: op(x·m)·m (ours)."""
    axis = met.argument(1, "dim")
    if not isinstance(axis, int) or met.mask.shape[axis] > 1:
        raise NoRule(f"calls {met.name} over places, not over channels alone")
    return hide(met.run(), met.mask, met), Kept(met.mask)


def linear(met: Met) -> Ruled:
    """Of a flattened map, x·m flattened, and the mask is dropped (ours).

    With channels last it is a convolution of one cell: op(x·m)·m.
    """
    x, mask = met.x, met.mask
    if x.ndim == 2:
        return met.run(), None
    if mask.shape[-1] > 1:
        raise NoRule("calls linear over places")
    return hide(met.run(), mask, met), Kept(mask)


def joined(met: Met) -> Ruled:
    """Maps one behind another along their channels: kept is what all of them keep (ours)."""
    parts: Any = met.argument(0, "tensors")
    axis = met.argument(1, "dim", 0) if "axis" not in met.kwargs else met.kwargs["axis"]
    mask = met.mask
    if any(one.mask.shape[axis] > 1 for one in met.kept) or axis % met.held[0].ndim == 0:
        raise NoRule(f"calls {met.name} along an axis of places")
    if len({tuple(_others(one.shape, axis)) for one in parts}) > 1:
        raise NoRule(f"calls {met.name} on maps of different sizes")
    for other in met.kept[1:]:
        mask = mask if other.mask is mask else mask & other.mask
    return hide(met.run(), mask, met), Kept(mask)


def _others(shape: torch.Size, axis: int) -> list[int]:
    return [length for place, length in enumerate(shape) if place != axis % len(shape)]
