"""Attention matrices of known kinds: what heads of each would attend to in a picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.head_results import HeadMaps
from tests.engine.heads import making

Weigh = Callable[[int, int, np.random.Generator], np.ndarray]


def _steps(rows: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.divmod(np.arange(rows * columns), columns)
    return abs(y[:, None] - y), abs(x[:, None] - x)


def local(rows: int, columns: int, _draw: np.random.Generator) -> np.ndarray:
    down, across = _steps(rows, columns)
    return np.exp(-(down**2 + across**2))


def even(rows: int, columns: int, _draw: np.random.Generator) -> np.ndarray:
    return np.ones((rows * columns,) * 2)


def vertical(rows: int, columns: int, _draw: np.random.Generator) -> np.ndarray:
    return 1.0 * (_steps(rows, columns)[1] == 0)


def horizontal(rows: int, columns: int, _draw: np.random.Generator) -> np.ndarray:
    return 1.0 * (_steps(rows, columns)[0] == 0)


def diagonal(rows: int, columns: int, _draw: np.random.Generator) -> np.ndarray:
    down, across = _steps(rows, columns)
    return 1.0 * (down == across)


def content(rows: int, columns: int, draw: np.random.Generator) -> np.ndarray:
    """Every patch looks at the few patches of an object, which lies elsewhere in each picture."""
    row, column = draw.integers(0, rows - 1), draw.integers(0, columns - 1)
    thing = np.zeros((rows, columns))
    thing[row : row + 2, column : column + 2] = 1
    return np.tile(thing.ravel(), (rows * columns, 1))


def to_class(rows: int, columns: int, _draw: np.random.Generator) -> np.ndarray:
    return np.zeros((rows * columns,) * 2)


KINDS: dict[str, tuple[Weigh, str]] = {
    "CLS": (to_class, "global"),
    "local": (local, "local"),
    "global": (even, "global"),
    "vertical": (vertical, "hybrid"),
    "horizontal": (horizontal, "hybrid"),
    "diagonal": (diagonal, "global"),
    "content-based": (content, "global"),
}


def pictures(
    count: int, names: list[str], grid: tuple[int, int] = (8, 8), heads: int = 3, noise: float = 0.1
) -> list[HeadMaps]:
    """Maps of models whose layers each have heads of one kind, with a tenth of noise."""
    draw = np.random.default_rng(0)
    tokens = 1 + grid[0] * grid[1]
    found = []
    for _ in range(count):
        layers = []
        for name in names:
            matrices = np.zeros((heads, tokens, tokens))
            for head in range(heads):
                matrices[head, 1:, 1:] = KINDS[name][0](*grid, draw)
            matrices[:, :, 0] = matrices.sum(axis=2).max() / 50 or 1.0
            matrices /= matrices.sum(axis=2, keepdims=True)
            random = making.drawn(heads, tokens, int(draw.integers(1 << 30)))
            matrices = (1 - noise) * matrices + noise * random
            layers.append(matrices)
        found.append(making.maps_of(*layers, grid=grid))
    return found
