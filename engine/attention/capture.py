"""Attention maps of one forward pass, taken where torch computes attention.

Nothing is hung on the network and nothing of it is changed: a torch function mode, which
only the thread that entered it sees, computes the probabilities beside each call.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from engine.execution.passes import Passes

_PACKED = inspect.signature(F.multi_head_attention_forward)


class _Recorder(TorchFunctionMode):
    """Notes the probabilities of each call of torch's attention functions, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.maps: list[torch.Tensor] = []

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        if func is F.scaled_dot_product_attention:
            self.maps.append(_of_plain(*args, **named))
        elif func is F.multi_head_attention_forward:
            self.maps.append(_of_packed(*args, **named))
        return func(*args, **named)


@contextmanager
def recording() -> Iterator[list[torch.Tensor]]:
    """Collect the attention maps of all that runs inside, in the order of the calls.

    Yields:
        A list that fills up: of each call the probabilities, as a rule
        ``(n, heads, queries, keys)``; rows sum to 1.
    """
    with _Recorder() as recorder:
        yield recorder.maps


def capture_attention(passes: Passes, x: torch.Tensor) -> list[torch.Tensor]:
    """Run one counted forward pass and return its attention maps.

    Args:
        passes: how to run.
        x: ``(n, …)``, prepared.

    Returns:
        As ``recording``; detached, in the network's own precision. Empty if the network
        computes its attention by hand or is traced.

    Raises:
        Cancelled: the caller asked to stop.
    """
    with torch.no_grad(), recording() as maps:
        passes.forward(x)
    return maps


@torch.no_grad()
def _of_plain(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> torch.Tensor:
    """Return softmax(q kᵀ × scale + mask); arguments as in torch."""
    if enable_gqa:  # fewer heads of keys than of queries
        key = key.repeat_interleave(query.shape[-3] // key.shape[-3], dim=-3)
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = query @ key.transpose(-2, -1) * factor  # (n, heads, queries, keys)
    if is_causal:
        attn_mask = torch.ones_like(scores, dtype=torch.bool).tril()
    if attn_mask is None:
        return scores.softmax(dim=-1)
    if attn_mask.dtype == torch.bool:
        return scores.masked_fill(~attn_mask, -math.inf).softmax(dim=-1)
    return (scores + attn_mask).softmax(dim=-1)


@torch.no_grad()
def _of_packed(*args: Any, **kwargs: Any) -> torch.Tensor:
    """Return what ``nn.MultiheadAttention`` attends to, by asking it once more for its weights."""
    asked = _PACKED.bind(*args, **kwargs)
    asked.arguments.update(need_weights=True, average_attn_weights=False)
    _, found = F.multi_head_attention_forward(*asked.args, **asked.kwargs)
    weights = cast(torch.Tensor, found)  # (n, heads, queries, keys)
    return weights if weights.ndim == 4 else weights[None]
