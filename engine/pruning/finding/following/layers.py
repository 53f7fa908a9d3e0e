"""Rules for the layers that have weights: convolutions, linear layers, normalisations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.execution.call_names import words
from engine.pruning.finding.following.call import Call, signature
from engine.pruning.finding.following.labels import spread
from engine.pruning.finding.following.state import Following

# Labels what comes out of a call; False where the spelling of the call is not known.
Rule = Callable[[Following, Call], bool]

_CONVOLUTION = signature("input weight bias= stride= padding= dilation= groups=1")
_TRANSPOSED = signature("input weight bias= stride= padding= output_padding= groups=1 dilation=")
_LINEAR = signature("input weight bias=")
_BATCH_NORM = signature("input running_mean= running_var= weight= bias= training= momentum= eps=")
_INSTANCE_NORM = signature(
    "input running_mean= running_var= weight= bias= use_input_stats= momentum= eps="
)
_GROUP_NORM = signature("input num_groups weight= bias= eps=")
_LAYER_NORM = signature("input normalized_shape weight= bias= eps=")
_PRELU = signature("input weight")
_HELD = ("running_mean", "running_var", "weight", "bias")


def convolution(state: Following, call: Call) -> bool:
    """New units from old ones; of a grouped convolution each group is one unit, in and out."""
    given = call.bound(_CONVOLUTION)
    axis = call.out.ndim - 1 - _dimensions(call.name)
    columns = state.line(state.label(given["input"]), axis)
    rows = state.units.fresh(call.out.shape[axis])
    groups = given["groups"]
    if groups > 1:
        told = f"its units go together: {state.layer} takes them together"
        why = told if groups < len(columns) else ""  # of a depthwise one nobody need be told
        parts = [columns.reshape(groups, -1), rows.reshape(groups, -1)]
        state.units.join_all(np.concatenate(parts, axis=1), why)
    state.weigh(given["weight"], given["bias"], rows, None if groups > 1 else columns)
    state.set(call.out, spread(rows, axis, call.out.shape))
    return True


def transposed(state: Following, call: Call) -> bool:
    """The same for transposed convolutions, whose columns lie first."""
    given = call.bound(_TRANSPOSED)
    if given["groups"] > 1:
        return False
    axis = call.out.ndim - 1 - _dimensions(call.name)
    columns = state.line(state.label(given["input"]), axis)
    rows = state.units.fresh(call.out.shape[axis])
    state.weigh(given["weight"], given["bias"], rows, columns, (1, 0))
    state.set(call.out, spread(rows, axis, call.out.shape))
    return True


def linear(state: Following, call: Call) -> bool:
    """New units along the last axis, from old ones there."""
    given = call.bound(_LINEAR)
    columns = state.line(state.label(given["input"]), -1)
    rows = state.units.fresh(call.out.shape[-1])
    state.weigh(given["weight"], given["bias"], rows, columns)
    state.set(call.out, spread(rows, call.out.ndim - 1, call.out.shape))
    return True


def per_channel_norm(state: Following, call: Call) -> bool:
    """Batch and instance norm: numbers of each channel's own."""
    is_batch = call.name == "batch_norm"
    given = call.bound(_BATCH_NORM if is_batch else _INSTANCE_NORM)
    line = state.line(state.label(call.x), 1)
    for name in _HELD:
        if given[name] is not None:
            state.use(given[name], line)
    state.set(call.out, state.label(call.x))
    return True


def group_norm(state: Following, call: Call) -> bool:
    """Channels that are normalised together go together."""
    given = call.bound(_GROUP_NORM)
    line = state.line(state.label(call.x), 1)
    why = f"its units go together: {state.layer} mixes all of them"
    state.units.join_all(line.reshape(given["num_groups"], -1), why)
    for name in ("weight", "bias"):
        if given[name] is not None:
            state.use(given[name], line)
    state.set(call.out, state.label(call.x))
    return True


def layer_norm(state: Following, call: Call) -> bool:
    """All that is normalised together goes together: the weights are no unit's own."""
    shape = call.bound(_LAYER_NORM)["normalized_shape"]
    axes = range(call.x.ndim - len(shape), call.x.ndim)
    state.set(call.out, state.mixed(state.label(call.x), axes))
    return True


def prelu(state: Following, call: Call) -> bool:
    """A slope for each channel, or one for all."""
    given = call.bound(_PRELU)
    if given["weight"].numel() > 1:
        state.use(given["weight"], state.line(state.label(call.x), 1))
    state.set(call.out, state.label(call.x))
    return True


def _dimensions(name: str) -> int:
    return int(name[-2])  # "conv2d"


RULES: dict[str, Rule] = {
    **dict.fromkeys(words("conv1d conv2d conv3d"), convolution),
    **dict.fromkeys(words("conv_transpose1d conv_transpose2d conv_transpose3d"), transposed),
    "linear": linear,
    "batch_norm": per_channel_norm,
    "instance_norm": per_channel_norm,
    "group_norm": group_norm,
    "layer_norm": layer_norm,
    "rms_norm": layer_norm,
    "prelu": prelu,
}
