"""The blocks of a transformer, one for each attention, and a stand-in for their forward."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from engine.attention.layouts import told
from engine.attention.visits import Shape, watch

# Gets the block's place, its own forward, and what it was called with.
StandIn = Callable[[int, Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]


class NoBlocks(Exception):
    """The blocks of a model cannot be told apart; the message says why."""


@dataclass(frozen=True)
class Block:
    """One call of a module that holds one attention and keeps its tokens.

    Attributes:
        name: of the module.
        number: which of its calls this is, the first being 0.
        axis: of its tokens along which the samples lie, as a rule 0.
    """

    name: str
    number: int
    axis: int


def find_blocks(module: nn.Module, x: torch.Tensor) -> tuple[Block, ...]:
    """Find the block of every attention, in their order.

    Args:
        module: in eval mode.
        x: two samples, ``(2, …)``.

    Raises:
        NoBlocks: an attention stands in no block of its own, or the samples in one lie along
            no single axis.
    """
    one, two = watch(module, x[:1]), watch(module, x)
    if len(one.calls) != len(two.calls):
        raise NoBlocks(f"{len(one.calls)} attentions for one sample, {len(two.calls)} for two")
    found = []
    for first, second in zip(one.calls, two.calls, strict=True):
        if first.block is None or second.block is None or second.block.name != first.block.name:
            raise NoBlocks(f"{told(first)} stands in no block of its own")
        axis = _batch_axis(first.block.shapes["input"], second.block.shapes["input"])
        if axis is None:
            raise NoBlocks(f"the samples in the block of {told(first)} lie along no one axis")
        found.append(Block(first.block.name, first.block.number, axis))
    return tuple(found)


def _batch_axis(one: Shape, two: Shape) -> int | None:
    """Return the one axis that is twice as long for two samples."""
    if len(one) != len(two):
        return None
    longer = [axis for axis, sizes in enumerate(zip(one, two, strict=True)) if len(set(sizes)) > 1]
    if len(longer) != 1 or two[longer[0]] != 2 * one[longer[0]]:
        return None
    return longer[0]


@contextmanager
def standing_in(module: nn.Module, blocks: Sequence[Block], run: StandIn) -> Iterator[None]:
    """Let ``run`` be called in place of each block's forward; the model's lock must be held.

    Only the instances are changed, and put back in any case.
    """
    places = {(block.name, block.number): place for place, block in enumerate(blocks)}
    numbers: dict[str, int] = {}

    def stand_in(name: str, forward: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            number = numbers.get(name, 0)
            numbers[name] = number + 1
            place = places.get((name, number))
            if place is None:
                return forward(*args, **kwargs)
            return run(place, forward, args, kwargs)

        return called

    replaced: list[tuple[nn.Module, Any]] = []
    try:
        for name in dict.fromkeys(block.name for block in blocks):
            part = module.get_submodule(name)
            forward = part.forward
            replaced.append((part, vars(part).get("forward")))
            vars(part)["forward"] = stand_in(name, forward)
        yield
    finally:
        for part, own in replaced:
            del vars(part)["forward"]
            if own is not None:
                vars(part)["forward"] = own
