"""Windows as libraries make them: pad, roll and cut, done to a picture of numbers."""

from __future__ import annotations

import numpy as np


def cut(grid: int, window: int, shift: int, pads: str) -> np.ndarray:
    """The number of the token in each window's slots, ``(windows, slots)``; −1 for padding.

    ``pads`` tells whether padding comes "before" the roll or "after" it.
    """
    numbers = np.arange(grid * grid).reshape(grid, grid)
    filled = (0, -grid % window)
    if pads == "before":
        numbers = np.pad(numbers, (filled, filled), constant_values=-1)
    numbers = np.roll(numbers, (-shift, -shift), (0, 1))
    if pads == "after":
        numbers = np.pad(numbers, (filled, filled), constant_values=-1)
    side = len(numbers) // window
    apart = numbers.reshape(side, window, side, window).transpose(0, 2, 1, 3)
    return apart.reshape(side * side, window * window)


def dense(maps: np.ndarray, slots: np.ndarray, tokens: int) -> np.ndarray:
    """One head's maps of windows, ``(windows, slots, slots)``, as a matrix of all tokens."""
    whole = np.zeros((tokens, tokens))
    for map_, places in zip(maps, slots, strict=True):
        for row, of in zip(map_, places, strict=True):
            for value, to in zip(row, places, strict=True):
                if of >= 0 and to >= 0:
                    whole[of, to] += value
    return whole


def merging(grid: int) -> np.ndarray:
    """``(tokens, merged tokens)``: the share of each token in the mean of each two by two."""
    half = -(-grid // 2)
    shares = np.zeros((grid * grid, half * half))
    for row in range(grid):
        for column in range(grid):
            shares[row * grid + column, row // 2 * half + column // 2] = 1
    return shares / shares.sum(axis=0)
