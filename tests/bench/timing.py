"""Timing two pieces of work side by side."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

REPEATS = 5


def paired(
    ours: Callable[[], object],
    theirs: Callable[[], object],
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[float, float]:
    """Time both in turn, so that a busy machine slows both alike; return the medians.

    Args:
        ours, theirs: the work.
        clock: wall time, or ``time.process_time``: the processor's seconds, of all threads.
    """
    ours()
    theirs()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(REPEATS):
        for spent, work in zip(times, (ours, theirs), strict=True):
            began = clock()
            work()
            spent.append(clock() - began)
    return statistics.median(times[0]), statistics.median(times[1])
