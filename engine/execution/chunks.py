"""Many samples a few at a time; when memory runs out, fewer at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import TypeVar

import torch

from engine.errors import OutOfMemory
from engine.execution.exhaustion import is_out_of_memory
from engine.execution.passes import Passes
from engine.models.loaded import LoadedModel

T = TypeVar("T")

_DEFAULTS = {"cpu": 8, "cuda": 64, "mps": 16}
# A default chunk is made for pictures of this size; of smaller ones more fit the same memory.
_USUAL = 3 * 224 * 224
_MOST = 256
_ROW_NUMBERS = 2**20
_MOST_ROWS = 4096


def default_chunk(model: LoadedModel) -> int:
    """Return how many samples go through at once: what stays in cache on a CPU.

    Rows of a table are small: as many as hold about a million numbers. A network that answers
    otherwise for a sample beside others than alone is asked for one at a time.
    """
    if not model.seen.batches:
        return 1
    usual = _DEFAULTS.get(model.device.type, 8)
    if len(model.spec.shape) > 1:
        return usual
    return max(usual, min(_MOST_ROWS, _ROW_NUMBERS // max(1, model.spec.shape[0])))


def chunk_for(model: LoadedModel) -> int:
    """Return how many masked samples go through at once: of small pictures more than of large."""
    usual = default_chunk(model)
    if usual == 1:
        return 1
    return max(usual, min(_MOST, usual * _USUAL // max(1, prod(model.spec.shape))))


@dataclass
class Chunks:
    """The size in use; it only ever shrinks.

    Attributes:
        size: samples at once.
    """

    size: int

    def over(self, count: int, passes: Passes, work: Callable[[int, int], T]) -> list[T]:
        """Do work on ``[start, stop)`` ranges that cover ``count`` samples, in order.

        A range that runs out of memory is done again at half the size; what was done
        before it stays.

        Raises:
            OutOfMemory: one sample at a time does not fit.
        """
        done: list[T] = []
        start = 0
        while start < count:
            stop = min(start + self.size, count)
            before = passes.used
            try:
                done.append(work(start, stop))
            except (RuntimeError, MemoryError) as error:
                self.shrink(error, passes)
                passes.rewind(before)
                continue
            start = stop
        return done

    def whole(self, passes: Passes, work: Callable[[int], T]) -> T:
        """Do work that makes its own chunks of the size given; again, smaller, if it must."""
        while True:
            before = passes.used
            try:
                return work(self.size)
            except (RuntimeError, MemoryError) as error:
                self.shrink(error, passes)
                passes.rewind(before)

    def shrink(self, error: RuntimeError | MemoryError, passes: Passes) -> None:
        """Halve the size if an error says that memory ran out; raise it again if not."""
        if not is_out_of_memory(error):
            raise error
        if self.size <= 1:
            raise OutOfMemory(_SMALLEST) from error
        self.size = max(1, self.size // 2)
        if passes.model.device.type == "cuda":
            torch.cuda.empty_cache()


@contextmanager
def telling_out_of_memory() -> Iterator[None]:
    """Turn memory that runs out where nothing can be halved into ``OutOfMemory``."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            raise OutOfMemory(_SMALLEST) from error
        raise


_SMALLEST = (
    "memory ran out even with one sample at a time; use a smaller input or model, or another device"
)
