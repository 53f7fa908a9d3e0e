"""A true beeswarm: dots lie where their value says, moved aside only so far that none overlap."""

from __future__ import annotations

import numpy as np

_TOUCH = 1e-9  # pixels: what touches does not overlap


def aside(x: np.ndarray, sizes: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Return how far each dot moves aside, as little as it can, float64 ``(dots,)``.

    Args:
        x: where the dots lie along the axis, ``(dots,)``.
        sizes: of the dots, across, in the same units, ``(dots,)``.
        rank: dots of a lower rank are placed before, and so nearer to the middle, ``(dots,)``;
            within a rank they are placed in the order of x.
    """
    by_x = np.argsort(x, kind="stable")
    along, wide = np.asarray(x, dtype=np.float64)[by_x], np.asarray(sizes, dtype=np.float64)[by_x]
    reach = (wide + wide.max(initial=0.0)) / 2
    start = np.searchsorted(along, along - reach, side="right")
    stop = np.searchsorted(along, along + reach, side="left")
    moved, placed = np.zeros(len(along)), np.zeros(len(along), dtype=bool)
    for count, dot in enumerate(np.argsort(rank[by_x], kind="stable")):
        near = slice(start[dot], stop[dot])
        free = ((wide[near] + wide[dot]) / 2) ** 2 - (along[near] - along[dot]) ** 2
        there = placed[near] & (free > 0)
        if there.any():
            moved[dot] = _free(moved[near][there], np.sqrt(free[there]), count % 2 == 0)
        placed[dot] = True
    found = np.empty(len(along))
    found[by_x] = moved
    return found


def _free(middles: np.ndarray, halves: np.ndarray, upwards: bool) -> float:
    """Return the free place nearest to 0, with what is taken as middles and half widths.

    Args:
        middles, halves: of the open intervals that are taken, ``(n,)``.
        upwards: which side is taken of two that are equally near.
    """
    if (np.abs(middles) >= halves - _TOUCH).all():
        return 0.0
    down, up = _edges(middles - halves, middles + halves)
    if abs(up - down) <= _TOUCH:
        return up if upwards else -down
    return up if up < down else -down


def _edges(low: np.ndarray, high: np.ndarray) -> tuple[float, float]:
    """Return how far the nearest free places below and above 0 are; 0 itself is taken.

    Intervals that touch are gone through from the lowest up, as plain numbers: they are few.
    """
    begin, end = -np.inf, -np.inf
    for start, stop in sorted(zip(low.tolist(), high.tolist(), strict=True)):
        if start >= end - _TOUCH:  # a gap
            if end > 0:
                break
            begin, end = start, stop
        elif stop > end:
            end = stop
    return -begin, end
