"""What one hooked forward pass tells of a network: its layers, its output, its kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from engine.errors import ModelError, one_line
from engine.models.outputs import logits_of

_ATTENTION = (
    torch.nn.functional.scaled_dot_product_attention,
    torch.nn.functional.multi_head_attention_forward,
)


@dataclass(frozen=True)
class Layer:
    """A sub-module whose output is a stack of maps.

    Attributes:
        name: as in ``named_modules``.
        shape: of its output for one sample, ``(channels, rows, columns)``.
        calls: how often one forward pass calls it.
        overwritten: something after it changes its output in place.
    """

    name: str
    shape: tuple[int, int, int]
    calls: int
    overwritten: bool

    @property
    def usable(self) -> bool:
        """Whether a hook on it sees one unspoilt output per pass."""
        return self.calls == 1 and not self.overwritten and min(self.shape[1:]) > 1


@dataclass
class Discovery:
    """Layers in the order in which they finish, number of logits, attention calls seen."""

    layers: tuple[Layer, ...]
    classes: int
    attention_calls: int


class _AttentionCounter(TorchFunctionMode):
    """Counts calls of torch's attention functions."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func in _ATTENTION:
            self.calls += 1
        return func(*args, **(kwargs or {}))


@dataclass
class _Seen:
    tensor: torch.Tensor
    version: int
    order: int
    calls: int = 1


@dataclass
class _Watcher:
    seen: dict[str, _Seen] = field(default_factory=dict)
    finished: int = 0

    def note(self, name: str, output: Any) -> None:
        self.finished += 1
        if not isinstance(output, torch.Tensor) or output.ndim != 4:
            return
        calls = self.seen[name].calls + 1 if name in self.seen else 1
        self.seen[name] = _Seen(output, output._version, self.finished, calls)


@contextmanager
def _watched(module: nn.Module) -> Iterator[_Watcher]:
    watcher = _Watcher()
    handles = []
    try:
        for name, part in module.named_modules():
            if name:

                def hook(_module: nn.Module, _args: Any, output: Any, name: str = name) -> None:
                    watcher.note(name, output)

                handles.append(part.register_forward_hook(hook))
        yield watcher
    finally:
        for handle in handles:
            handle.remove()


def discover(module: nn.Module, shape: tuple[int, ...], device: torch.device) -> Discovery:
    """Run one forward pass on noise and note what can be seen.

    Args:
        module: in eval mode, on ``device``.
        shape: of one sample.

    Raises:
        ModelError: the pass fails, or what it returns are no logits.
    """
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn((1, *shape), generator=generator).to(device)
    with torch.no_grad(), _watched(module) as watcher, _AttentionCounter() as counter:
        try:
            logits = logits_of(module(noise))
        except Exception as error:  # the network is the user's own code
            raise ModelError(
                f"one forward pass of shape {(1, *shape)} failed: {one_line(error)}"
            ) from None
    special = sum(isinstance(part, nn.MultiheadAttention) for part in module.modules())
    return Discovery(_layers(watcher), logits.shape[1], max(counter.calls, special))


def _layers(watcher: _Watcher) -> tuple[Layer, ...]:
    in_order = sorted(watcher.seen.items(), key=lambda item: item[1].order)
    return tuple(
        Layer(
            name,
            tuple(seen.tensor.shape[1:]),  # type: ignore[arg-type]
            seen.calls,
            overwritten=seen.tensor._version != seen.version,
        )
        for name, seen in in_order
    )
