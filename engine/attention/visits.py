"""Where in a network each attention happens: its block, seen in one hooked forward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import nn

from engine.attention.interception import Fused, Interceptor

Side = Literal["input", "output"]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Spot:
    """A tensor of a forward pass: what a module's n-th call takes, or what it returns."""

    module: str
    number: int
    side: Side


@dataclass(eq=False)
class Visit:
    """One call of one module.

    Attributes:
        name, number: of the module, and which of its calls this is.
        shapes: of the tokens (or maps) it takes and returns, each where it has any.
        calls: the attentions that happen inside.
    """

    name: str
    number: int
    shapes: dict[Side, Shape] = field(default_factory=dict)
    calls: list[int] = field(default_factory=list)

    def spot(self, side: Side) -> Spot:
        """Return one of its two tensors' spots."""
        return Spot(self.name, self.number, side)

    @property
    def keeps_tokens(self) -> bool:
        """Whether it returns as many tokens as it takes."""
        taken, returned = (self.shapes.get(side) for side in ("input", "output"))
        return bool(taken and returned) and taken[:-1] == returned[:-1]  # type: ignore[index]


@dataclass(eq=False)
class Call:
    """One attention.

    Attributes:
        index: its number in the pass.
        shape: of its probabilities, as a rule ``(windows, heads, queries, keys)``.
        softmax: whether a softmax was seen, not the fused function.
        inside: the modules it happens in, outermost first.
        last, next: the visit that returned tokens just before it, and the one that takes
            tokens just after.
    """

    index: int
    shape: Shape
    softmax: bool
    inside: tuple[Visit, ...]
    last: Visit | None
    next: Visit | None = None

    @property
    def block(self) -> Visit | None:
        """The outermost module that holds this attention alone and keeps its tokens."""
        alone = (visit for visit in self.inside if visit.calls == [self.index])
        return next((visit for visit in alone if visit.keeps_tokens), None)

    @property
    def name(self) -> str:
        """Of the block; where there is none, of the innermost module, or empty."""
        block = self.block or (self.inside[-1] if self.inside else None)
        return block.name if block else ""

    @property
    def span(self) -> tuple[Spot, Spot] | None:
        """Where its tokens can be seen before and after it, or None.

        These are a block's input and output. Where it stands in no block, what the last module
        before it returns, and what the first after it takes.
        """
        if self.block is not None:
            return self.block.spot("input"), self.block.spot("output")
        if self.last is None or self.next is None:
            return None
        return self.last.spot("output"), self.next.spot("input")


class _Watcher(Interceptor):
    """Notes modules as they are entered and left, and attention as it happens."""

    def __init__(self) -> None:
        super().__init__()
        self.attentions: list[Call] = []
        self.finished: list[Visit] = []
        self._open: list[Visit] = []
        self._numbers: dict[str, int] = {}

    def fused(self, index: int, call: Fused) -> torch.Tensor:
        shape = (*call.query.shape[:-1], call.key.shape[-2])
        self._note(index, shape, softmax=False)
        return call.run()

    def weighted(
        self, index: int, weights: torch.Tensor, plain: Callable[[], torch.Tensor]
    ) -> torch.Tensor:
        self._note(index, tuple(weights.shape), softmax=True)
        return weights

    def _note(self, index: int, shape: Shape, *, softmax: bool) -> None:
        for visit in self._open:
            visit.calls.append(index)
        last = next((v for v in reversed(self.finished) if "output" in v.shapes), None)
        self.attentions.append(Call(index, shape, softmax, tuple(self._open), last))

    def enter(self, name: str, tokens: torch.Tensor | None) -> None:
        number = self._numbers.get(name, 0)
        self._numbers[name] = number + 1
        visit = Visit(name, number)
        self._open.append(visit)
        if tokens is None:
            return
        visit.shapes["input"] = tuple(tokens.shape)
        if self.attentions and self.attentions[-1].next is None:
            self.attentions[-1].next = visit

    def leave(self, tokens: torch.Tensor | None) -> None:
        visit = self._open.pop()
        if tokens is not None:
            visit.shapes["output"] = tuple(tokens.shape)
        self.finished.append(visit)


@dataclass(frozen=True)
class Watched:
    """What one hooked pass told.

    Attributes:
        calls: the attentions, in their order.
        maps: spots of the maps that modules returned before the first attention, with their
            shapes ``(1, …)``, the latest first.
    """

    calls: tuple[Call, ...]
    maps: tuple[tuple[Spot, Shape], ...]


def watch(module: nn.Module, x: torch.Tensor) -> Watched:
    """Run one forward pass and note where attention happens.

    Args:
        module: in eval mode.
        x: one sample, ``(1, …)``.
    """
    watcher = _Watcher()
    with torch.no_grad(), hooked(module, watcher.enter, watcher.leave), watcher:
        module(x)
    first = watcher.attentions[0].last if watcher.attentions else None
    before = watcher.finished[: watcher.finished.index(first) + 1] if first else []
    outputs = [(visit.spot("output"), visit.shapes.get("output", ())) for visit in before]
    maps = tuple(found for found in reversed(outputs) if len(found[1]) == 4)
    return Watched(tuple(watcher.attentions), maps)


@contextmanager
def hooked(
    module: nn.Module,
    enter: Callable[[str, torch.Tensor | None], None],
    leave: Callable[[torch.Tensor | None], None],
) -> Iterator[None]:
    """Tell of every module inside as it is entered and left, with the tokens it passes on."""
    handles = []

    def before(name: str) -> Callable[..., None]:
        def told(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            enter(name, tokens_in((*args, *kwargs.values())))

        return told

    def after(_module: nn.Module, _args: Any, output: Any) -> None:
        leave(tokens_in(output))

    try:
        for name, part in module.named_modules():
            if name:
                handles.append(part.register_forward_pre_hook(before(name), with_kwargs=True))
                handles.append(part.register_forward_hook(after))
        yield
    finally:
        for handle in handles:
            handle.remove()


def tokens_in(given: Any) -> torch.Tensor | None:
    """Return the tokens in what a module takes or returns: its first floats of 3 or 4 axes."""
    values: Iterable[Any] = (given,)
    if isinstance(given, Mapping):
        values = given.values()
    elif isinstance(given, tuple | list):
        values = given
    for value in values:
        if isinstance(value, torch.Tensor) and value.ndim in (3, 4) and value.is_floating_point():
            return value
    return None
