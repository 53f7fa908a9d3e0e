"""A forward pass whose attention is laid open: every token looks at itself, plus a leaf."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import nn

from engine.attention.interception import Fused, Interceptor
from engine.attention.visits import Spot, tokens_in
from engine.models.outputs import logits_of

Form = Literal["channels last", "channels first"]


@dataclass
class Tapped:
    """Tensors of one forward pass.

    Attributes:
        tokens: as they came by each spot.
        passed: the copies that went on in their place, so that what is changed in place
            later leaves ``tokens`` alone.
    """

    tokens: dict[Spot, torch.Tensor] = field(default_factory=dict)
    passed: dict[Spot, torch.Tensor] = field(default_factory=dict)

    def same(self, earlier: Spot, later: Spot) -> bool:
        """Whether what left the one spot came to the other untouched."""
        copy = self.passed.get(earlier)
        return copy is not None and self.tokens.get(later) is copy and copy._version == 0


@dataclass
class Probed(Tapped):
    """What ``probe`` leaves behind, a graph of gradients.

    Attributes:
        x: the input.
        logits: ``(1, classes)``, of a network whose tokens look at themselves alone.
        leaves: of each attention, zeros ``(windows, queries, keys)`` that were added to the
            probabilities of every head.
    """

    x: torch.Tensor = field(default_factory=lambda: torch.zeros(0))
    logits: torch.Tensor = field(default_factory=lambda: torch.zeros(0))
    leaves: list[torch.Tensor] = field(default_factory=list)


class _Opened(Interceptor):
    """Puts the identity and a leaf in place of the probabilities: values flow, scores do not."""

    def __init__(self, leaves: list[torch.Tensor]) -> None:
        super().__init__()
        self.leaves = leaves

    def fused(self, index: int, call: Fused) -> torch.Tensor:
        value = call.shared(call.value)  # (windows, heads, keys, width)
        weights = self._weights(len(value), call.query.shape[-2], value.shape[-2], value)
        mixed = weights @ value.transpose(1, 2).flatten(2)  # (windows, queries, heads × width)
        return mixed.unflatten(2, (value.shape[1], -1)).transpose(1, 2)

    def weighted(
        self, index: int, weights: torch.Tensor, plain: Callable[[], torch.Tensor]
    ) -> torch.Tensor:
        windows, _, queries, keys = weights.shape
        put = self._weights(windows, queries, keys, weights)
        return put[:, None].expand_as(weights).contiguous()

    def _weights(self, windows: int, queries: int, keys: int, like: torch.Tensor) -> torch.Tensor:
        leaf = like.new_zeros((windows, queries, keys)).requires_grad_()
        self.leaves.append(leaf)
        return torch.eye(queries, keys, dtype=like.dtype, device=like.device) + leaf


def probe(module: nn.Module, x: torch.Tensor, spots: Iterable[Spot]) -> Probed:
    """Run one forward pass with its attention laid open.

    Args:
        module: in eval mode, every attention of it with four axes.
        x: one sample, ``(1, …)``.
        spots: where tensors are to be kept.
    """
    found = Probed(x=x.detach().clone().requires_grad_())
    with torch.enable_grad(), tapped(module, spots, found), _Opened(found.leaves):
        found.logits = logits_of(module(found.x))
    return found


def tap(module: nn.Module, x: torch.Tensor, spots: Iterable[Spot]) -> Tapped:
    """Run one plain forward pass and keep the tensors at some spots."""
    found = Tapped()
    with torch.no_grad(), tapped(module, spots, found):
        module(x)
    return found


def as_tokens(tensor: torch.Tensor, form: Form) -> torch.Tensor:
    """Return the tokens of one sample in a row, ``(tokens, channels)``.

    Args:
        tensor: ``(1, tokens, channels)``, ``(1, rows, columns, channels)``, windows of tokens,
            or ``(1, channels, rows, columns)``.
        form: which of them a tensor of four axes is.
    """
    if tensor.ndim == 4 and form == "channels first":
        return tensor.flatten(2)[0].T
    return tensor.flatten(0, -2)


@contextmanager
def tapped(module: nn.Module, spots: Iterable[Spot], found: Tapped) -> Iterator[None]:
    """Keep the tensors that come by some spots."""
    wanted = set(spots)
    handles = []
    try:
        for name, part in module.named_modules():
            if name in {spot.module for spot in wanted}:
                tapping = _Tap(name, wanted, found)
                handles.append(part.register_forward_pre_hook(tapping.before, with_kwargs=True))
                handles.append(part.register_forward_hook(tapping.after))
        yield
    finally:
        for handle in handles:
            handle.remove()


class _Tap:
    """The hooks of one module."""

    def __init__(self, name: str, wanted: set[Spot], found: Tapped) -> None:
        self._name = name
        self._wanted = wanted
        self._found = found
        self._entered = 0
        self._left = 0

    def before(self, _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        spot = Spot(self._name, self._entered, "input")
        self._entered += 1
        tensor = tokens_in((*args, *kwargs.values()))
        if spot not in self._wanted or tensor is None:
            return None
        copy = self._keep(spot, tensor)
        named = {name: copy if value is tensor else value for name, value in kwargs.items()}
        return _swapped(args, tensor, copy), named

    def after(self, _module: nn.Module, _args: Any, output: Any) -> Any:
        spot = Spot(self._name, self._left, "output")
        self._left += 1
        tensor = tokens_in(output)
        if spot not in self._wanted or tensor is None:
            return None
        return _swapped(output, tensor, self._keep(spot, tensor))

    def _keep(self, spot: Spot, tensor: torch.Tensor) -> torch.Tensor:
        copy = tensor.clone()
        self._found.tokens[spot] = tensor
        self._found.passed[spot] = copy
        return copy


def _swapped(given: Any, old: torch.Tensor, new: torch.Tensor) -> Any:
    """Return what a module takes or returns with one tensor in place of another."""
    if given is old:
        return new
    if type(given) in (tuple, list):
        return type(given)(new if value is old else value for value in given)
    return given
