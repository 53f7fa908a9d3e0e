"""Attention made by hand, of known kinds, and its matrices of all tokens."""

from __future__ import annotations

import numpy as np

from engine.head_results import HeadMaps


def maps_of(
    *layers: np.ndarray, grid: tuple[int, int], prefix: int = 1, suffix: int = 0
) -> HeadMaps:
    """Global attention: of each layer ``(heads, tokens, tokens)``; the first token is the class."""
    count = len(layers)
    tokens = prefix + suffix + grid[0] * grid[1]
    return HeadMaps(
        maps=tuple(one[None].astype(np.float32) for one in layers),
        layouts=(np.arange(tokens)[None],) * count,
        grids=(grid,) * count,
        prefix=(prefix,) * count,
        suffix=(suffix,) * count,
        names=tuple(f"block {index}" for index in range(count)),
        class_tokens=(0 if prefix else -1,) * count,
    )


def drawn(heads: int, tokens: int, seed: int = 0, windows: int | None = None) -> np.ndarray:
    """Random rows of sum 1, some of them sharp."""
    shape = (heads, tokens, tokens) if windows is None else (windows, heads, tokens, tokens)
    scores = np.random.default_rng(seed).normal(0, 2.5, shape)
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return raised / raised.sum(axis=-1, keepdims=True)


def windowed(grid: int, window: int, shift: int, heads: int = 2) -> HeadMaps:
    """One layer of shifted windows with padding, random."""
    from tests.engine.attention import windows

    slots = windows.cut(grid, window, shift, "before")
    maps = drawn(heads, slots.shape[1], 3, len(slots)).astype(np.float32)
    return HeadMaps((maps,), (slots,), ((grid, grid),), (0,), (0,), ("block",), (-1,))


def dense(maps: HeadMaps, layer: int, head: int) -> np.ndarray:
    """The matrix of all tokens, float64, padding left out and rows of sum 1; plain loops."""
    layout = maps.layouts[layer]
    count = int(layout.max()) + 1
    whole = np.zeros((count, count))
    for window, places in enumerate(layout.tolist()):
        for i, query in enumerate(places):
            for j, key in enumerate(places):
                if query >= 0 and key >= 0:
                    whole[query, key] = float(maps.maps[layer][window, head, i, j])
    return whole / whole.sum(axis=1, keepdims=True)


def neighbours(maps: HeadMaps, layer: int) -> list[set[int]]:
    """Which tokens each token can attend to."""
    layout = maps.layouts[layer]
    found: list[set[int]] = [set() for _ in range(int(layout.max()) + 1)]
    for places in layout.tolist():
        here = {token for token in places if token >= 0}
        for token in here:
            found[token] = here
    return found
