"""Heads switched off, exactly: what the model says without them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import torch

from engine.attention.site import AttentionSite
from engine.errors import MethodError
from engine.execution.passes import Passes
from engine.heads.blocks import Block, standing_in
from engine.heads.gating import HeadGates
from engine.heads.packed import PackedLinears
from engine.heads.prefix import FULL, Prefix
from engine.heads.said import Said, readers_of, said_of

# Layer and head.
Place = tuple[int, int]


@dataclass(frozen=True)
class Reuse:
    """How much of a pass need not be computed again for every head.

    Attributes:
        blocks: of the model; empty where every pass is a whole one.
        rows: the tokens that are read of the last block, where it can be run for them alone.
        packed: whether passes of several variants at once compute linear layers by oneDNN, with
            weights laid out for it. A variant alone never does: it is the naive loop to the bit.
        reason: why there is no more of it; empty where there is not.
    """

    blocks: tuple[Block, ...] = ()
    rows: tuple[int, ...] = ()
    packed: bool = False
    reason: str = ""

    @property
    def name(self) -> str:
        """What is saved, in words."""
        if not self.blocks:
            return "nothing: whole passes"
        if not self.rows:
            return "the blocks before the head's own"
        return "the blocks before the head's own; of the last block all tokens but those read"


class Ablation:
    """Passes over some samples with heads switched off.

    Attributes:
        counted: samples sent through blocks, by how much of the block was run.

    Args:
        passes: how to run.
        sites: all attention of the model.
        reuse: what need not be computed again.
    """

    def __init__(self, passes: Passes, sites: Sequence[AttentionSite], reuse: Reuse) -> None:
        self.counted: Counter[str] = Counter()
        self._passes = passes
        self._sites = sites
        self._reuse = reuse
        self._readers = readers_of(passes.model, {block.name for block in reuse.blocks})
        self._rows = _rows_of(passes, reuse)
        self._packed = PackedLinears() if reuse.packed else None

    def outputs(
        self, x: torch.Tensor, sets: Sequence[Collection[Place]], size: int
    ) -> tuple[Said, Iterator[tuple[list[int], Said]]]:
        """Run the model as it is, and with each set of heads off.

        Args:
            x: samples, ``(n, …)``.
            sets: of heads to switch off, in any order.
            size: how many samples go through at once; at least n do.

        Returns:
            What the model says as it is, ``(n, …)``; and, computed as it is asked for, the
            places of some of the sets and what it says without their heads,
            ``(sets, n, …)``, until all have come.

        Raises:
            MethodError: a head that the model does not have.
            Cancelled: the caller asked to stop; the model is as it was.
        """
        check_heads(sets, self._sites)
        prefix = Prefix(self._reuse.blocks, self._rows, len(x), self.counted)
        mode, model = self._mode({}), self._passes.model
        keeping = standing_in(model.module, self._reuse.blocks, prefix.keep)
        with torch.no_grad(), model.ready(), mode, keeping:
            logits = self._passes.forward(x)
        self._count_whole(len(x))
        said = said_of(logits, self._passes.model.activation, mode.read)
        return said, self._each(x, sets, size, prefix)

    def _each(
        self, x: torch.Tensor, sets: Sequence[Collection[Place]], size: int, prefix: Prefix
    ) -> Iterator[tuple[list[int], Said]]:
        starts = [min((layer for layer, _ in off), default=0) for off in sets]
        if not self._reuse.blocks:
            starts = [0] * len(sets)
        step = max(1, size // len(x))
        for start in sorted(set(starts)):
            group = [index for index, first in enumerate(starts) if first == start]
            for begin in range(0, len(group), step):
                chosen = group[begin : begin + step]
                off = [sets[index] for index in chosen]
                yield chosen, self._without(x, off, start, prefix).unflattened(len(chosen))

    def _without(
        self, x: torch.Tensor, sets: Sequence[Collection[Place]], start: int, prefix: Prefix
    ) -> Said:
        """Run one pass for some sets, the first head of them in a layer from ``start`` on."""
        times, model = len(sets), self._passes.model
        packed = self._packed if times > 1 else None
        mode = self._mode(gates_of(sets, self._sites, len(x)), start, packed)
        with torch.no_grad(), model.ready(), mode:
            if self._reuse.blocks:
                again = prefix.again(start, times, mode)
                with standing_in(model.module, self._reuse.blocks, again):
                    logits = self._passes.forward(x, len(x) * times)
            else:
                logits = self._passes.forward(torch.cat([x] * times))
                self._count_whole(len(x) * times)
        return said_of(logits, model.activation, mode.read)

    def _mode(
        self,
        gates: dict[int, torch.Tensor],
        first: int = 0,
        packed: PackedLinears | None = None,
    ) -> HeadGates:
        return HeadGates(gates, first, len(self._sites), self._readers, packed)

    def _count_whole(self, samples: int) -> None:
        if not self._reuse.blocks:
            self.counted[FULL] += samples * len(self._sites)


def gates_of(
    sets: Sequence[Collection[Place]], sites: Sequence[AttentionSite], count: int = 1
) -> dict[int, torch.Tensor]:
    """Return the gates that switch sets of heads off.

    Returns:
        By the site's index, ``(sets × count, heads)``: sample i of set s is s × count + i.
        Sites of which no set has a head are left out.
    """
    gates: dict[int, torch.Tensor] = {}
    for row, off in enumerate(sets):
        for layer, head in off:
            gate = gates.setdefault(layer, torch.ones(len(sets), sites[layer].heads))
            gate[row, head] = 0
    return {layer: gate.repeat_interleave(count, dim=0) for layer, gate in gates.items()}


def all_heads(sites: Sequence[AttentionSite]) -> list[Place]:
    """Return layer and head of all heads, layer by layer."""
    return [(site.index, head) for site in sites for head in range(site.heads)]


def _rows_of(passes: Passes, reuse: Reuse) -> torch.Tensor | None:
    if not reuse.rows:
        return None
    return torch.tensor(reuse.rows, device=passes.model.device)


def check_heads(sets: Sequence[Collection[Place]], sites: Sequence[AttentionSite]) -> None:
    """Raise ``MethodError`` if a head is none of the model's."""
    known = set(all_heads(sites))
    for off in sets:
        for place in off:
            if tuple(place) not in known:
                layer, head = place
                raise MethodError(
                    f"no head {head} in layer {layer}: there are {len(sites)} layers of "
                    f"{', '.join(str(site.heads) for site in sites)} heads, counted from 0"
                )
