"""Rules for what passes channels on: numbers changed in place, moved, pooled or padded."""

from __future__ import annotations

import torch

from engine.execution.call_names import ACTIVATIONS, FUNCTIONS, words
from engine.execution.calls import mapped, tensors_in
from engine.pruning.finding.following.call import Call
from engine.pruning.finding.following.labels import all_same, spread, still
from engine.pruning.finding.following.layers import Rule
from engine.pruning.finding.following.state import CONSTANT, Following

_ELEMENTWISE = (
    ACTIVATIONS
    | FUNCTIONS
    | words("""
        add sub subtract mul multiply div divide true_divide truediv radd rsub rmul neg negative
        floor ceil round sign where masked_fill addcmul addcdiv lerp identity nan_to_num
        gt lt ge le eq ne greater less logical_and logical_or logical_not invert and or isnan
        isfinite isinf
        dropout dropout1d dropout2d dropout3d feature_dropout alpha_dropout
        to type type_as float half double bfloat16 long int bool clone detach contiguous
        zeros_like ones_like full_like
    """)
)
_MOVES = words("""
    view reshape view_as reshape_as flatten unflatten permute transpose swapaxes swapdims movedim
    moveaxis t squeeze unsqueeze expand expand_as broadcast_to repeat tile repeat_interleave
    chunk split split_with_sizes tensor_split unsafe_chunk unsafe_split unbind select narrow
    getitem index_select roll flip rot90 fliplr flipud cat concat concatenate stack hstack vstack
    dstack pixel_shuffle pixel_unshuffle channel_shuffle unfold diagonal get
""")
# Each channel's map is made of that channel's map; the last digit but one is that of its axes.
_MAPS = words("""
    max_pool1d avg_pool1d adaptive_avg_pool1d adaptive_max_pool1d lp_pool1d
    max_pool2d avg_pool2d adaptive_avg_pool2d adaptive_max_pool2d lp_pool2d
    max_pool3d avg_pool3d adaptive_avg_pool3d adaptive_max_pool3d
    max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices
    interpolate upsample
""")
_CASTS = words("to type type_as")
_VIEWS = words("view view_as reshape_as")


def elementwise(state: Following, call: Call) -> bool:
    """Numbers computed place by place: the units of all that meets there go together."""
    if not isinstance(call.out, torch.Tensor):
        return False
    tensors = call.tensors[:1] if call.name in _CASTS else call.tensors
    several = [one for one in tensors if one.numel() > 1 or state.is_labelled(one)]
    known = [one for one in several if state.is_labelled(one)] or [
        one for one in several if state.is_own(one)
    ]
    if not known:
        return False
    labels = state.label(known[0]).expand(call.out.shape)
    for other in several:
        if other is not known[0]:
            labels = _combined(state, labels, other)
    state.set(call.out, labels)
    return True


def _combined(state: Following, labels: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Return the labels of what is computed place by place from a tensor and another."""
    if state.is_labelled(other):
        state.join(labels, state.label(other))
        return labels
    wide = [labels.ndim - back for back in range(1, other.ndim + 1) if other.shape[-back] > 1]
    if state.place(other) is None:  # a constant: what it has several numbers for stays together
        offset = other.ndim - labels.ndim
        return state.mixed(labels, [axis for axis in wide if _varies(other, axis + offset)])
    own = still(labels, [axis for axis in range(labels.ndim) if axis not in wide], state.units)
    if own is None:
        state.join(labels, state.label(other))
    else:  # a parameter, met for the first time
        state.set(other, own.reshape(own.shape[labels.ndim - other.ndim :]))
    return labels


def _varies(numbers: torch.Tensor, axis: int) -> bool:
    """Whether numbers differ along an axis; a mask that is only repeated along it does not."""
    return not bool((numbers == numbers.narrow(axis, 0, 1)).all())


def move(state: Following, call: Call) -> bool:
    """Labels go where their numbers go: the same function moves them."""

    def labelled(tensor: torch.Tensor) -> torch.Tensor:
        numbers = tensor.is_floating_point() or state.is_labelled(tensor)
        return state.label(tensor) if numbers else tensor.cpu()  # or places to look up

    if call.name in _VIEWS:  # labels may lie otherwise in memory
        found = [state.label(call.x).reshape(call.out.shape)]
    else:
        named = {key: mapped(value, labelled) for key, value in call.named.items()}
        found = list(tensors_in(call.func(*mapped(call.args, labelled), **named)))
    if [one.shape for one in call.results] != [one.shape for one in found]:
        return False
    for one, labels in zip(call.results, found, strict=True):
        state.set(one, labels)
    return True


def maps(state: Following, call: Call) -> bool:
    """Pooling and resizing: a channel stays a channel."""
    digits = [int(letter) for letter in call.name if letter.isdigit()]
    axis = call.x.ndim - 1 - (digits[0] if digits else call.x.ndim - 2)
    line = state.line(state.label(call.x), axis)
    for one in call.results:
        state.set(one, spread(line, axis, one.shape))
    return True


def pad(state: Following, call: Call) -> bool:
    """Padding belongs to the channels that it pads; new channels stay."""
    labels = state.label(call.x)
    sides = list(call.get("pad", 1))
    for number in range(len(sides) // 2):
        before, after = sides[2 * number : 2 * number + 2]
        labels = _padded(state, labels, labels.ndim - 1 - number, before, after)
    state.set(call.out, labels)
    return True


def _padded(
    state: Following, labels: torch.Tensor, axis: int, before: int, after: int
) -> torch.Tensor:
    size = labels.shape[axis]
    shape = list(labels.shape)
    same = still(labels, [axis], state.units)
    if same is not None:
        shape[axis] = size + before + after
        return same.expand(shape)
    inside = labels.narrow(axis, max(0, -before), size + min(0, before) + min(0, after))
    edges = []
    for count in (before, after):
        shape[axis] = max(0, count)
        edges.append(all_same(state.units.fixed(CONSTANT), shape))
    return torch.cat([edges[0], inside, edges[1]], dim=axis)


def constant(state: Following, call: Call) -> bool:
    """New numbers, of which only kind and place are taken from a tensor."""
    return True


def glu(state: Following, call: Call) -> bool:
    """One half times a gate made of the other: they go together."""
    one, other = state.label(call.x).chunk(2, dim=call.get("dim", 1, -1))
    state.join(one, other)
    state.set(call.out, one)
    return True


RULES: dict[str, Rule] = {
    **dict.fromkeys(_ELEMENTWISE, elementwise),
    **dict.fromkeys(_MOVES, move),
    **dict.fromkeys(_MAPS, maps),
    **dict.fromkeys(words("new_zeros new_ones new_full new_empty new_tensor"), constant),
    "pad": pad,
    "glu": glu,
}
