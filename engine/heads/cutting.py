"""One head's attention with a block of it put to zero: what goes on is A′V."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from engine.attention.interception import Fused, Interceptor


@dataclass(frozen=True, eq=False)
class Cut:
    """What is kept of one head's attention, for each sample of a batch.

    Attributes:
        index: of the attention.
        head: of it.
        keep: bool ``(samples, windows, slots, slots)``: which weights stay.
        even: bool ``(samples,)``: whether rows are made to sum to what they summed to before.
            A row of which nothing stays stays nothing (our definition).
        whole: bool ``(samples,)``: whether the sample is left as it is, to the last bit.
    """

    index: int
    head: int
    keep: torch.Tensor
    even: torch.Tensor
    whole: torch.Tensor

    def of(self, start: int, stop: int) -> Cut:
        """Return the same for some of the samples."""
        some = slice(start, stop)
        return replace(self, keep=self.keep[some], even=self.even[some], whole=self.whole[some])

    def applied(self, weights: torch.Tensor) -> torch.Tensor:
        """Return what is left of one head's weights, ``(samples × windows, slots, slots)``."""
        windows = self.keep.shape[1]
        left = weights * self.keep.flatten(0, 1).to(weights)
        sums = left.sum(dim=-1, keepdim=True)
        before = weights.sum(dim=-1, keepdim=True)
        even = left * before / sums.where(sums > 0, 1)
        return torch.where(_spread(self.even, windows, weights), even, left)

    def put(self, values: torch.Tensor, changed: torch.Tensor) -> torch.Tensor:
        """Return values ``(samples × windows, heads, …)`` with those of the head changed."""
        whole = _spread(self.whole, self.keep.shape[1], values)
        found = values.clone()
        found[:, self.head] = torch.where(whole, values[:, self.head], changed)
        return found


class Blocks(Interceptor):
    """Runs a pass with what a ``Cut`` leaves of one head's attention."""

    def __init__(self, cut: Cut) -> None:
        super().__init__()
        self._cut = cut

    def fused(self, index: int, call: Fused) -> torch.Tensor:
        """Put the head's A′V in the place of its output."""
        plain = call.run()
        if index != self._cut.index:
            return plain
        head = self._cut.head
        weights = self._cut.applied(call.probabilities()[:, head])
        return self._cut.put(plain, weights @ call.shared(call.value)[:, head])

    def weighted(
        self, index: int, weights: torch.Tensor, plain: Callable[[], torch.Tensor]
    ) -> torch.Tensor:
        """Put the head's A′ in the place of its probabilities."""
        if index != self._cut.index:
            return weights
        return self._cut.put(weights, self._cut.applied(weights[:, self._cut.head]))


def _spread(chosen: torch.Tensor, windows: int, like: torch.Tensor) -> torch.Tensor:
    """Repeat what holds of a sample for its windows, ``(samples × windows, 1, 1)``."""
    return chosen.repeat_interleave(windows)[:, None, None].to(like.device)
