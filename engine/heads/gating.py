"""The gates of one forward pass, which may begin at a later attention."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch
import torch.nn.functional as F

from engine.attention.gates import Gates
from engine.attention.interception import Fused
from engine.heads.packed import PackedLinears

# Each token on its own, its channels in the last axis.
_BY_TOKEN = (F.linear, F.layer_norm)


class Reached(BaseException):
    """A pass came to the attention that it was to run to; not an error, so nobody catches it.

    Attributes:
        values: the output of the rows asked for, ``(n, heads, rows, width)``.
    """

    def __init__(self, values: torch.Tensor) -> None:
        super().__init__()
        self.values = values


class NotFused(Exception):
    """An attention that is computed by a softmax, whose values are not seen."""


class HeadGates(Gates):
    """Gates the heads of a pass, and keeps what the classification head is given.

    Attributes:
        read: inputs of the layers that put out the classes, in their order.
        rows: run only to the next attention, and leave with these rows of its output.
        held: rows of an output that was computed earlier, for the next attention to return.

    Args:
        gates: by the site's index, ``(n, heads)``.
        first: index of the first attention that the pass comes to.
        depth: number of attentions in all.
        readers: ``id`` of the weights of the layers that put out the classes.
        packed: computes linear layers in place of torch's own, or None.
    """

    def __init__(
        self,
        gates: Mapping[int, torch.Tensor],
        first: int = 0,
        depth: int = 0,
        readers: Collection[int] = (),
        packed: PackedLinears | None = None,
    ) -> None:
        super().__init__(gates)
        self.calls = first
        self.read: list[torch.Tensor] = []
        self.rows: torch.Tensor | None = None
        self.held: torch.Tensor | None = None
        self._depth = depth
        self._readers = readers
        self._packed = packed

    def fused(self, index: int, call: Fused) -> torch.Tensor:
        """Gate the output; or stop here; or gate what is held."""
        if self.rows is not None:
            raise Reached(_of_rows(call, self.rows))
        if self.held is None:
            return self._gated(index, _once(call))
        held, self.held = self.held, None
        return self._gated(index, held)

    def weighted(
        self, index: int, weights: torch.Tensor, plain: Callable[[], torch.Tensor]
    ) -> torch.Tensor:
        """Gate the probabilities."""
        if self.rows is not None or self.held is not None:
            raise NotFused
        return super().weighted(index, weights, plain)

    def other(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Keep what the layer that puts out the classes is given; compute alike samples once."""
        last = self.calls >= self._depth
        if last and func is F.linear and len(args) > 1 and id(args[1]) in self._readers:
            self.read.append(args[0].detach())
        alike = _alike(args[0]) if func in _BY_TOKEN and args else []
        if not alike:
            return self._plain(func, args, kwargs)
        first = args[0]
        for axis in alike:
            first = first.narrow(axis, 0, 1)
        computed = self._plain(func, (first, *args[1:]), kwargs)
        return computed.expand(*args[0].shape[:-1], computed.shape[-1])

    def _plain(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if func is F.linear and self._packed is not None:
            found = self._packed.linear(args, kwargs)
            if found is not None:
                return found
        return func(*args, **kwargs)


def _alike(tensor: Any) -> list[int]:
    """Return the axes, but for the last, along which a tensor is one and the same (stride 0)."""
    if not isinstance(tensor, torch.Tensor):
        return []
    axes = range(tensor.ndim - 1)
    return [axis for axis in axes if tensor.stride(axis) == 0 and tensor.shape[axis] > 1]


def _once(call: Fused) -> torch.Tensor:
    """Compute an attention; of samples that are all one and the same, one."""
    given = (call.query, call.key, call.value)
    masked = call.mask is not None and call.mask.ndim == 4 and len(call.mask) > 1
    shared = call.key.shape[1] != call.query.shape[1]
    if masked or shared or not all(0 in _alike(part) for part in given):
        return call.run()
    query, key, value = (part[:1] for part in given)
    one = F.scaled_dot_product_attention(
        query, key, value, call.mask, is_causal=call.causal, scale=call.scale
    )
    return one.expand(len(call.query), -1, -1, -1)


def _of_rows(call: Fused, rows: torch.Tensor) -> torch.Tensor:
    """Compute some rows of an attention's output, ``(n, heads, rows, width)``."""
    if call.causal:
        raise NotFused
    mask = call.mask
    if mask is not None and mask.shape[-2] > 1:
        mask = mask.index_select(-2, rows)
    query = call.query.index_select(-2, rows)
    return F.scaled_dot_product_attention(
        query, call.shared(call.key), call.shared(call.value), mask, scale=call.scale
    )
