"""One way in to attention for every library: a mode that sees torch's own functions.

Whatever a vision transformer is written in, its attention ends in
``F.scaled_dot_product_attention``, in ``F.multi_head_attention_forward`` or in a softmax over
keys. A torch function mode sees these calls, of the thread that entered it and of no other;
nothing is hung on the network, and nothing is left when the mode is left.
"""

from __future__ import annotations

import inspect
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode

from engine.models.squashing import SOFTMAX

_PACKED = inspect.signature(F.multi_head_attention_forward)


@dataclass(frozen=True)
class Fused:
    """One call of ``F.scaled_dot_product_attention``.

    Attributes:
        query, key, value: ``(n, heads, tokens, width)``; fewer heads of keys and values where
            several heads of queries share them.
        mask: what may be attended to (boolean), or what is added to the scores; or None.
        causal: no token attends to a later one.
        scale: of the scores; None: 1 / √width.
        run: computes the call as it was made.
    """

    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor
    mask: torch.Tensor | None
    causal: bool
    scale: float | None
    run: Callable[[], torch.Tensor]

    def shared(self, given: torch.Tensor) -> torch.Tensor:
        """Return keys or values with as many heads as the queries."""
        times = self.query.shape[-3] // given.shape[-3] if given.ndim > 3 else 1
        return given if times == 1 else given.repeat_interleave(times, dim=-3)

    def probabilities(self) -> torch.Tensor:
        """Return softmax(q kᵀ × scale + mask), ``(n, heads, queries, keys)``; no mode sees it."""
        with torch._C.DisableTorchFunction():
            return _probabilities(self)


class Interceptor(TorchFunctionMode):
    """Sees each attention of a forward pass, and may put something else in its place.

    Attributes:
        calls: attentions seen so far; the number of a call in one pass is its site's index.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def fused(self, index: int, call: Fused) -> torch.Tensor:
        """Return the output of a fused attention, ``(n, heads, queries, width)``."""
        return call.run()

    def weighted(
        self, index: int, weights: torch.Tensor, plain: Callable[[], torch.Tensor]
    ) -> torch.Tensor:
        """Return the probabilities that go on, ``(n, heads, queries, keys)``.

        Args:
            index: of the call.
            weights: as they would go on, after what modes further out did to them.
            plain: computes them once more, as if nobody looked.
        """
        return weights

    def other(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return what any other function of torch returns."""
        return func(*args, **kwargs)

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        if func is F.scaled_dot_product_attention:
            return self.fused(self._next(), _fused(*args, **named))
        if func is F.multi_head_attention_forward:
            heads = _PACKED.bind(*args, **named).arguments["num_heads"]
            with _inside(heads), self:
                return _unguarded(*args, **named)
        if func in SOFTMAX and _is_over_keys(*args, **named):
            return self._softmax(lambda: func(*args, **named))
        return self.other(func, args, named)

    def _next(self) -> int:
        self.calls += 1
        return self.calls - 1

    def _softmax(self, run: Callable[[], torch.Tensor]) -> torch.Tensor:
        def plain() -> torch.Tensor:
            with torch.no_grad(), torch._C.DisableTorchFunction():
                return _by_head(run())

        weights = run()
        found = self.weighted(self._next(), _by_head(weights), plain)
        return found.reshape(weights.shape)


class _Here(threading.local):
    """How many heads the ``F.multi_head_attention_forward`` has that runs; 0 outside of one."""

    heads = 0


_here = _Here()


@contextmanager
def _inside(heads: int) -> Iterator[None]:
    before = _here.heads
    _here.heads = heads
    try:
        yield
    finally:
        _here.heads = before


def _probabilities(call: Fused) -> torch.Tensor:
    factor = 1 / math.sqrt(call.query.shape[-1]) if call.scale is None else call.scale
    scores = call.query @ call.shared(call.key).transpose(-2, -1) * factor
    mask = call.mask
    if call.causal:
        mask = torch.ones_like(scores, dtype=torch.bool).tril()
    if mask is None:
        return scores.softmax(dim=-1)
    if mask.dtype == torch.bool:
        return scores.masked_fill(~mask, -math.inf).softmax(dim=-1)
    return (scores + mask).softmax(dim=-1)


def _by_head(weights: torch.Tensor) -> torch.Tensor:
    """Return ``(n × heads, q, k)``, as packed attention has it, as ``(n, heads, q, k)``."""
    return weights if weights.ndim > 3 else weights.unflatten(0, (-1, _here.heads))


def _fused(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attn_mask: torch.Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    **kwargs: Any,
) -> Fused:
    def run() -> torch.Tensor:
        return F.scaled_dot_product_attention(
            query, key, value, attn_mask, dropout_p, is_causal, **kwargs
        )

    return Fused(query, key, value, attn_mask, is_causal, kwargs.get("scale"), run)


def _is_over_keys(
    input: torch.Tensor,  # noqa: A002  (torch's own name)
    dim: Any = None,
    *_args: Any,
    **_kwargs: Any,
) -> bool:
    """Whether a softmax makes attention: over the last axis of (…, heads, queries, keys)."""
    fewest = 3 if _here.heads else 4
    return isinstance(dim, int) and input.ndim >= fewest and dim in (-1, input.ndim - 1)


# The function hands itself to the mode before it computes anything. This copy of it believes
# that nobody looks, and so computes; the mode then sees the softmax or fused call inside.
_unguarded = FunctionType(
    F.multi_head_attention_forward.__code__,
    {**F.multi_head_attention_forward.__globals__, "has_torch_function": lambda _tensors: False},
    "multi_head_attention_forward",
    F.multi_head_attention_forward.__defaults__,
)
_unguarded.__kwdefaults__ = F.multi_head_attention_forward.__kwdefaults__
