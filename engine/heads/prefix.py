"""One forward pass, kept, so that others can start from any of its blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from engine.attention.visits import tokens_in
from engine.heads.blocks import Block
from engine.heads.gating import HeadGates, NotFused, Reached

FULL, PARTIAL = "all tokens", "read tokens only"


class Prefix:
    """What each block took and returned.

    The model's own forward runs every time. Blocks before the one that a pass starts from
    return copies of what they returned; that one takes a copy of what it took, once for each
    variant. Where the classification head reads only some tokens, the last block is run only
    as far as its attention for all tokens, and after it for those.

    Attributes:
        counted: samples sent through blocks so far, by how much of the block was run.

    Args:
        blocks: all of them.
        rows: numbers of the tokens that are read, or None: all, or not known.
        count: how many samples there are.
    """

    def __init__(
        self, blocks: Sequence[Block], rows: torch.Tensor | None, count: int, counted: Counter[str]
    ) -> None:
        self.counted = counted
        self._blocks = blocks
        self._rows = rows
        self._count = count
        self._inputs: dict[int, torch.Tensor] = {}
        self._outputs: dict[int, Any] = {}

    def keep(
        self, place: int, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Stand in for a block: run it, and keep what it takes and returns."""
        self._inputs[place] = _tokens(args, kwargs).clone()
        self.counted[FULL] += self._count
        returned = forward(*args, **kwargs)
        self._outputs[place] = copied(returned)
        return returned

    def again(self, start: int, times: int, mode: HeadGates) -> Callable[..., Any]:
        """Return what stands in for blocks in a pass from one of them on.

        Args:
            start: place of that block.
            times: how many variants there are; sample i of variant v is v × count + i.
            mode: the gates of the pass.
        """

        def run(
            place: int,
            forward: Callable[..., Any],
            args: tuple[Any, ...],
            kwargs: dict[str, Any],
        ) -> Any:
            if place < start:
                return copied(self._outputs[place])
            block, tokens = self._blocks[place], _tokens(args, kwargs)
            few = self._rows is not None and place == len(self._blocks) - 1
            if place == start:
                kept = self._inputs[place]
                given = repeated(kept, 1 if few else times, block.axis)
                args, kwargs = swapped(args, kwargs, tokens, given)
                tokens = given
            self.counted[PARTIAL if few else FULL] += self._count * times
            if not few:
                return forward(*args, **kwargs)
            more = times if place == start else 1
            return self._of_rows(mode, forward, args, kwargs, tokens, more)

        return run

    def _of_rows(
        self,
        mode: HeadGates,
        forward: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        tokens: torch.Tensor,
        times: int,
    ) -> Any:
        """Run the last block for the tokens that are read, each with its attention to all."""
        block, rows = self._blocks[-1], self._rows
        assert rows is not None
        few = tokens.index_select(1 - block.axis, rows)
        mode.rows = rows
        try:
            forward(*args, **kwargs)
        except Reached as reached:
            mode.held = repeated(reached.values, times, 0)
        else:
            raise NotFused
        finally:
            mode.rows = None
        mode.calls -= 1  # the same attention is come to again
        args, kwargs = swapped(args, kwargs, tokens, repeated(few, times, block.axis))
        return forward(*args, **kwargs)


def repeated(tensor: torch.Tensor, times: int, axis: int) -> torch.Tensor:
    """Return a copy, or so many in a row; a single copy keeps its strides, and so its bits.

    Many copies of one sample share their memory (stride 0): what is computed of them before
    they differ is then seen to be alike.
    """
    if times == 1:
        return tensor.clone()
    if tensor.shape[axis] > 1:
        return torch.cat([tensor] * times, dim=axis)
    shape = list(tensor.shape)
    shape[axis] = times
    return tensor.clone().expand(shape)


def copied(value: Any) -> Any:
    """Return a copy of what a module returned: what comes after may overwrite it."""
    if isinstance(value, torch.Tensor):
        return value.clone()
    if type(value) in (tuple, list):
        return type(value)(copied(one) for one in value)
    if isinstance(value, Mapping):
        return type(value)(**{name: copied(one) for name, one in value.items()})
    return value


def swapped(
    args: tuple[Any, ...], kwargs: dict[str, Any], old: torch.Tensor, new: torch.Tensor
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return what a module is called with, one tensor in place of another."""
    named = {name: new if value is old else value for name, value in kwargs.items()}
    return tuple(new if value is old else value for value in args), named


def _tokens(args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.Tensor:
    found = tokens_in((*args, *kwargs.values()))
    assert found is not None  # a block keeps its tokens
    return found
