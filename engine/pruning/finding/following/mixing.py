"""Rules for what puts several numbers together: sums, products, softmax, attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from engine.execution.call_names import words
from engine.pruning.finding.following.call import Call, signature
from engine.pruning.finding.following.labels import all_same, along
from engine.pruning.finding.following.layers import Rule
from engine.pruning.finding.following.passing import elementwise
from engine.pruning.finding.following.state import Following

_ATTENTION = signature("query key value attn_mask= dropout_p= is_causal= scale= enable_gqa=")
_NORMS = words("norm vector_norm linalg_vector_norm")


def reduce(state: Following, call: Call) -> bool:
    """Axes go: what lay along them goes together."""
    x = call.x
    axis = call.named.get("axis", call.get("dim", 2 if call.name in _NORMS else 1))
    if isinstance(axis, torch.Tensor):  # max(a, b)
        return elementwise(state, call)
    axes = list(range(x.ndim)) if axis is None else _several(axis, x.ndim)
    labels = state.mixed(state.label(x), axes)
    for one in axes:
        labels = labels.narrow(one, 0, 1)
    for result in call.results:
        state.set(result, labels.reshape(result.shape))
    return True


def normalise(state: Following, call: Call) -> bool:
    """What lies along an axis is seen together; a softmax over keys is an attention."""
    axis = call.get("dim", 2, 1) if call.name == "normalize" else call.get("dim", 1)
    if not isinstance(axis, int):
        return False
    labels = state.mixed(state.label(call.x), [axis])
    for result in call.results:
        state.set(result, labels)
    _note_heads(state, labels)
    return True


def product(state: Following, call: Call) -> bool:
    """Products of two tensors: all that meets in one batch goes together."""
    given = list(call.args) + list(call.named.values())
    tensors = [one for one in given if isinstance(one, torch.Tensor)]
    if any(tensor.ndim < 2 for tensor in tensors):
        return False
    parts = [state.mixed(state.label(one), [-2, -1])[..., :1, :1] for one in tensors]
    for other in parts[1:]:
        state.join(parts[0], other)
    state.set(call.out, torch.broadcast_tensors(*parts)[0])
    return True


def attention(state: Following, call: Call) -> bool:
    """All numbers of a head, of its queries, keys, values and mask, go together."""
    given = call.bound(_ATTENTION)
    query, key, value = (state.label(given[name]) for name in ("query", "key", "value"))
    if query.ndim != 4 or not query.shape[1] == key.shape[1] == value.shape[1]:
        reason = f"heads of {state.layer} share keys and values (grouped-query attention)"
        for labels in (query, key, value):
            state.fix(labels, reason)
        state.set(call.out, all_same(state.units.fixed(reason), call.out.shape))
        return True
    heads = [state.mixed(labels, [0, 2, 3])[:1, :, :1, :1] for labels in (query, key, value)]
    state.join(heads[0], heads[1])
    state.join(heads[0], heads[2])
    _join_mask(state, heads[0], given["attn_mask"])
    state.set(call.out, heads[0])
    _note_heads(state, heads[0])
    return True


def _join_mask(state: Following, heads: torch.Tensor, mask: torch.Tensor | None) -> None:
    """A mask with numbers for each head loses them with the head."""
    if mask is None or mask.ndim < 3 or mask.shape[-3] == 1:
        return
    labels = state.label(mask)
    others = [axis for axis in range(mask.ndim) if axis != mask.ndim - 3]
    own = state.mixed(labels, others)
    for axis in others:
        own = own.narrow(axis, 0, 1)
    state.join(heads, own)


def _note_heads(state: Following, labels: torch.Tensor) -> None:
    """Note the label of each head, of ``(n, heads, …)`` or of packed ``(n × heads, q, k)``."""
    if state.index is None or labels.ndim < 3:
        return
    found = along(labels, 0 if labels.ndim == 3 else labels.ndim - 3, state.units)
    if found is not None:
        state.attentions.append((state.index, state.attending, found))


def _several(axis: Any, count: int) -> Sequence[int]:
    return [int(one) % count for one in (axis if isinstance(axis, tuple | list) else (axis,))]


_REDUCES = words("""
    mean sum amax amin max min var std var_mean std_mean logsumexp prod nansum argmax argmin any
    all median norm vector_norm linalg_vector_norm
""")

RULES: dict[str, Rule] = {
    **dict.fromkeys(_REDUCES, reduce),
    **dict.fromkeys(words("softmax log_softmax normalize cumsum sort"), normalise),
    **dict.fromkeys(words("matmul bmm mm baddbmm"), product),
    "scaled_dot_product_attention": attention,
}
