"""A few threads for work of many small operations, one for each core that torch may use.

Such work gains little when each operation is shared out: the cores meet after every one, and where
others use the machine they wait for one another. Here each thread does whole pieces by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

_making = threading.Lock()
_pools: dict[int, ThreadPoolExecutor] = {}

T = TypeVar("T")
P = TypeVar("P")


def workers_for(device: torch.device) -> int:
    """Return how many pieces are worked on at once: on another device than the CPU one."""
    return torch.get_num_threads() if device.type == "cpu" else 1


def in_threads(work: Callable[[P], T], pieces: Iterable[P], workers: int) -> list[T]:
    """Do pieces of work, as many at once as there are workers; return what they give, in order.

    Within them torch shares nothing out. An error of a piece is raised when the others have ended.
    """
    given = list(pieces)
    if workers < 2 or len(given) < 2:
        return [work(piece) for piece in given]
    asked = [_pool(workers).submit(work, piece) for piece in given]
    errors = [error for one in asked if (error := one.exception()) is not None]
    if errors:
        raise errors[0]
    return [one.result() for one in asked]


def _pool(workers: int) -> ThreadPoolExecutor:
    """Return the threads; one caller at a time makes them, or torch is left with one thread."""
    with _making:
        if workers not in _pools:
            _pools[workers] = _made(workers)
        return _pools[workers]


def _made(workers: int) -> ThreadPoolExecutor:
    """Return new threads, each of which has told torch that it is alone."""
    before, ready = torch.get_num_threads(), threading.Barrier(workers + 1)

    def alone() -> None:
        torch.get_num_threads()  # a thread's first look takes what was said last: look before that
        torch.set_num_threads(1)
        ready.wait()

    pool = ThreadPoolExecutor(workers, thread_name_prefix="haloscope-pieces", initializer=alone)
    for _ in range(workers):
        pool.submit(int)  # each finds all threads at the barrier, and so begins one more
    ready.wait()
    torch.set_num_threads(before)  # the last word is what threads that come later begin with
    return pool


__all__ = ["in_threads", "workers_for"]
