"""What one hooked forward pass tells of a network: its layers, its output, its kind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.overrides import TorchFunctionMode

from engine.errors import ModelError, one_line
from engine.models.layouts import Layouts
from engine.models.outputs import entry_of, logits_of, widths_of
from engine.models.squashing import SOFTMAX, Squash, is_undone, squash_at_end, watching

# How the reason begins where a network does not run at all.
FAILED = "one forward pass"
_ATTENTION = (F.scaled_dot_product_attention, F.multi_head_attention_forward)


@dataclass(frozen=True)
class Layer:
    """A sub-module whose output is a stack of maps.

    Attributes:
        name: as in ``named_modules``.
        shape: of its output for one sample, ``(channels, rows, columns)``.
        calls: how often one forward pass calls it.
        overwritten: something after it changes its output in place.
        kind: name of its class ("Conv2d").
        channels_last: whether its output lies as ``(rows, columns, channels)``.
        attended: whether attention comes after it, which mixes its places.
        even: whether all its calls in a pass put out maps of the same shape.
    """

    name: str
    shape: tuple[int, int, int]
    calls: int
    overwritten: bool
    kind: str = ""
    channels_last: bool = False
    attended: bool = False
    even: bool = True

    @property
    def usable(self) -> bool:
        """Whether its maps say where in the picture the network looks."""
        return min(self.shape[1:]) > 1 and self.even and not self.attended


@dataclass(frozen=True)
class Discovery:
    """What one pass tells.

    Attributes:
        layers: those that put out maps, in the order in which they finish.
        classes: number of logits.
        attention_calls: calls of attention seen.
        container: what the network returns: "tensor", "tuple", "dict", or a class's name.
        entry: where in it the logits are; "" in a plain tensor.
        squash: the softmax or sigmoid that the network itself ends in, or "".
        warnings: what a user should know of how it computes, one line each.
        batches: whether it takes more than one sample at a time.
    """

    layers: tuple[Layer, ...]
    classes: int
    attention_calls: int
    container: str = "tensor"
    entry: str = ""
    squash: Squash = ""
    warnings: tuple[str, ...] = ()
    batches: bool = True


class _AttentionCounter(TorchFunctionMode):
    """Counts calls of attention: torch's own, and softmax over square maps of several heads."""

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
        out = func(*args, **(kwargs or {}))
        if func in _ATTENTION or (func in SOFTMAX and _is_square(out)):
            self.calls += 1
        return out


def _is_square(maps: Any) -> bool:
    return isinstance(maps, torch.Tensor) and maps.ndim >= 4 and maps.shape[-1] == maps.shape[-2]


@dataclass
class _Seen:
    tensor: torch.Tensor
    version: int
    order: int
    kind: str
    channels_last: bool
    attention_before: int
    calls: int = 1
    even: bool = True


@dataclass
class _Watcher:
    attention: _AttentionCounter
    seen: dict[str, _Seen] = field(default_factory=dict)
    layouts: Layouts = field(default_factory=Layouts)
    finished: int = 0

    def note(self, name: str, part: nn.Module, output: Any) -> None:
        self.finished += 1
        if not isinstance(output, torch.Tensor) or output.ndim != 4:
            return
        before = self.seen.get(name)
        self.seen[name] = _Seen(
            output,
            output._version,
            self.finished,
            type(part).__name__,
            self.layouts.is_channels_last(part, output),
            self.attention.calls,
            1 if before is None else before.calls + 1,
            before is None or (before.even and before.tensor.shape == output.shape),
        )


@contextmanager
def _watched(module: nn.Module) -> Iterator[_Watcher]:
    handles = []
    try:
        with _AttentionCounter() as counter:
            watcher = _Watcher(counter)
            for name, part in module.named_modules():
                if name and not isinstance(part, torch.jit.ScriptModule):  # these take no hooks

                    def hook(part: nn.Module, _args: Any, output: Any, name: str = name) -> None:
                        watcher.note(name, part, output)

                    handles.append(part.register_forward_hook(hook))
            yield watcher
    finally:
        for handle in handles:
            handle.remove()


def discover(
    module: nn.Module, shape: tuple[int, ...], device: torch.device, classes: int | None = None
) -> Discovery:
    """Run one forward pass on noise and note what can be seen; two more on how it computes.

    Modes and buffers of the network are put back as they were.

    Args:
        module: in eval mode, on ``device``.
        shape: of one sample.
        classes: how many the caller has names for; tells logits from features.

    Raises:
        ModelError: the pass fails, or what it returns are no logits.
    """
    generator = torch.Generator().manual_seed(0)
    pair = torch.randn((2, *shape), generator=generator).to(device, _precision(module))
    with _put_back(module) as changed, torch.no_grad():
        with _watched(module) as watcher:
            returned = _asked(module, pair[:1])
            entry, logits = entry_of(returned, classes)
        found = _how_it_computes(module, pair, logits, entry)
    calls = watcher.attention.calls
    special = sum(isinstance(part, nn.MultiheadAttention) for part in module.modules())
    return Discovery(
        _layers(watcher),
        logits.shape[1],
        max(calls, special),
        "tensor" if isinstance(returned, torch.Tensor) else type(returned).__name__,
        entry,
        found.squash,
        (*found.warnings, *_choice(returned, entry), *changed),
        found.batches,
    )


def _asked(module: nn.Module, batch: torch.Tensor) -> Any:
    try:
        return module(batch)
    except (Exception, SystemExit) as error:  # the network is the user's own code
        told = f"{FAILED} of shape {tuple(batch.shape)} failed: {one_line(error)}"
        raise ModelError(told) from None


@contextmanager
def _put_back(module: nn.Module) -> Iterator[list[str]]:
    """Put modes and buffers back afterwards; yields what is to be said if they changed."""
    modes = [(part, part.training) for part in module.modules()]
    buffers = [(buffer, buffer.detach().clone()) for buffer in module.buffers()]
    told: list[str] = []
    try:
        yield told
    finally:
        with torch.no_grad():
            for buffer, before in buffers:
                if not torch.equal(torch.nan_to_num(buffer), torch.nan_to_num(before)):
                    buffer.copy_(before)
                    told[:] = ["changes its own buffers whenever it is asked"]
        for part, mode in modes:
            if part.training != mode:
                part.training = mode
                told[:] = ["changes its own mode whenever it is asked"]


def _choice(returned: Any, entry: str) -> tuple[str, ...]:
    """Say so where something else might be the logits as well."""
    widths = widths_of(returned)
    if entry == "logits" or len(set(widths.values())) < 2:
        return ()
    told = ", ".join(f"“{name}” ({width})" for name, width in widths.items())
    return (f"returns several tables: {told}; “{entry}” is read as the logits",)


def _precision(module: nn.Module) -> torch.dtype:
    weights = next(module.parameters(), None)
    return weights.dtype if weights is not None and weights.is_floating_point() else torch.float32


def _layers(watcher: _Watcher) -> tuple[Layer, ...]:
    in_order = sorted(watcher.seen.items(), key=lambda item: item[1].order)
    return tuple(_layer(name, seen, watcher.attention.calls) for name, seen in in_order)


def _layer(name: str, seen: _Seen, attention: int) -> Layer:
    _, *lengths = seen.tensor.shape
    first, second, third = lengths
    return Layer(
        name,
        (third, first, second) if seen.channels_last else (first, second, third),
        seen.calls,
        overwritten=seen.tensor._version != seen.version,
        kind=seen.kind,
        channels_last=seen.channels_last,
        attended=attention > seen.attention_before,
        even=seen.even,
    )


@dataclass(frozen=True)
class _Ways:
    squash: Squash = ""
    warnings: tuple[str, ...] = ()
    batches: bool = True


def _how_it_computes(
    module: nn.Module, pair: torch.Tensor, logits: torch.Tensor, entry: str
) -> _Ways:
    """Ask for the same sample again, alone and beside another: is the answer the same?"""
    squash, again = _ending(module, pair[:1], entry)
    if not logits.isfinite().all():
        return _Ways(warnings=("returns values that are not finite (NaN or infinity) on noise",))
    if not _alike(again, logits):
        told = (
            "gives other values each time it is asked the same (dropout or noise in its "
            "forward that eval() does not switch off)"
        )
        return _Ways(squash, (told,))
    try:
        squash, both = _ending(module, pair, entry)
    except ModelError:
        both = logits
    if both.shape != (2, logits.shape[1]):
        return _Ways(
            squash, ("takes one sample at a time only, so everything takes longer",), False
        )
    if not _alike(both[:1], logits):
        told = "gives a sample other values beside others than alone; it is asked one at a time"
        return _Ways(squash, (told,), False)
    return _Ways(squash)


def _ending(module: nn.Module, batch: torch.Tensor, entry: str) -> tuple[Squash, torch.Tensor]:
    """Return the squash that a network ends in, if it can be undone, and what it returns."""
    with watching() as squashes:
        logits = logits_of(_asked(module, batch), entry)
    found = squash_at_end(squashes.last, logits)
    return found if found and is_undone(squashes.last, logits) else "", logits


def _alike(one: torch.Tensor, other: torch.Tensor) -> bool:
    if one.shape != other.shape:
        return False
    return bool(torch.allclose(one, other, rtol=1e-3, atol=1e-4, equal_nan=True))
