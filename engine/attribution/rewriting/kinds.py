"""What a call of torch does to the parts that depend on the input."""

from __future__ import annotations

from typing import Literal

from engine.attribution.rewriting.calls import Call
from engine.execution.call_names import ACTIVATIONS, FUNCTIONS, words

Kind = Literal[
    "activation", "function", "maximum", "affine", "product", "other", "attribute", "silent"
]


_QUOTIENTS = words("div divide true_divide truediv")
_AXES = (1, 2, 3)
_MAXIMA = frozenset(
    f"{kind}max_pool{axes}d{tail}"
    for kind in ("", "adaptive_")
    for axes in _AXES
    for tail in ("", "_with_indices")
)
CONVOLUTIONS = frozenset(f"conv{axes}d" for axes in _AXES)
_ALL_CONVOLUTIONS = CONVOLUTIONS | {f"conv_transpose{axes}d" for axes in _AXES}
# Linear in each of its arguments: affine in the input where one of them depends on it.
_PRODUCTS = _ALL_CONVOLUTIONS | words("""
    mul multiply rmul matmul rmatmul mm bmm mv dot inner outer einsum tensordot kron linear
    bilinear addmm addbmm baddbmm addcmul grid_sample
""")
_POOLS = frozenset(f"{kind}avg_pool{axes}d" for kind in ("", "adaptive_") for axes in _AXES)
# Sums over what the input gives; LRP keeps the denominators of these away from zero.
SUMS = _ALL_CONVOLUTIONS | _POOLS | words("linear batch_norm add sub rsub mean sum")
_MOVES = words("""
    radd subtract neg negative positive cumsum diff nansum
    reshape reshape_as view view_as flatten unflatten ravel squeeze unsqueeze permute transpose t
    swapaxes swapdims movedim moveaxis adjoint expand expand_as broadcast_to repeat tile
    repeat_interleave cat concat concatenate stack hstack vstack dstack split chunk unbind iter
    tensor_split split_with_sizes unsafe_chunk unsafe_split getitem select narrow index_select
    gather take take_along_dim masked_select masked_fill where flip fliplr flipud roll rot90 pad
    constant_pad_nd pixel_shuffle pixel_unshuffle channel_shuffle native_channel_shuffle unfold
    fold interpolate upsample diagonal tril triu clone contiguous to type type_as float double
    half bfloat16 cpu cuda alias as_subclass copy zero fill dropout dropout1d dropout2d dropout3d
    alpha_dropout feature_dropout feature_alpha_dropout
""")
_AFFINE = SUMS | _MOVES
# Looks for mistakes, or makes new tensors.
_SILENT = words("""
    isfinite isnan isinf register_hook retain_grad requires_grad set delete zeros_like ones_like
    empty_like full_like rand_like randn_like new_zeros new_ones new_empty new_full new_tensor
""")


def kind_of(call: Call) -> Kind:
    """Say what kind of call it is; "other" is all that is not known."""
    if call.name in _SILENT:
        return "silent"
    if call.name == "get":
        return "attribute"
    if len(call.dependents) == 1:
        found = _of_one(call)
        if found is not None:
            return found
    if call.name in _PRODUCTS | _QUOTIENTS:
        return "product"
    if call.name == "batch_norm" and call.argument(5, "training"):
        return "other"
    return "affine" if call.name in _AFFINE else "other"


def _of_one(call: Call) -> Kind | None:
    if call.name in ACTIVATIONS:
        return "activation"
    if call.name in FUNCTIONS:
        return "function"
    if call.name in _MAXIMA:
        return "maximum"
    if call.name in _PRODUCTS:
        return "affine"
    return _quotient(call) if call.name in _QUOTIENTS else None


def _quotient(call: Call) -> Kind:
    """Tell x / constant from constant / x."""
    if call.kwargs.get("rounding_mode"):
        return "other"
    return "affine" if call.args[0] is call.dependents[0] else "function"
