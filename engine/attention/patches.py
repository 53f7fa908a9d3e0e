"""Where the tokens of a vision transformer lie on the picture."""

from __future__ import annotations

import numpy as np
import torch

from engine.attention.decoding import decode, gradient, random_like
from engine.attention.layouts import Layout, Unplaced
from engine.attention.probing import Probed, as_tokens
from engine.attention.visits import Shape, Spot

Grid = tuple[int, int]


def find_fixed(tokens: torch.Tensor, others: torch.Tensor) -> tuple[int, int]:
    """Count the class and register tokens before and after the patches.

    They are the tokens that do not change with the picture.

    Args:
        tokens, others: ``(tokens, channels)`` of two pictures, before the first attention.

    Raises:
        Unplaced: none changes, or such tokens stand between patches.
    """
    changes = (tokens - others).abs().amax(dim=1) > 1e-6 * tokens.abs().max()
    where = changes.nonzero()[:, 0].tolist()
    if not where:
        raise Unplaced("no token of the first block changes with the picture")
    prefix, suffix = where[0], len(tokens) - 1 - where[-1]
    if len(where) != len(tokens) - prefix - suffix:
        raise Unplaced("class or register tokens stand between the patches")
    return prefix, suffix


def find_grid(
    probed: Probed,
    first: Layout,
    maps: tuple[tuple[Spot, Shape], ...],
    fixed: tuple[int, int],
) -> Grid:
    """Find rows and columns of the patches before the first attention.

    Each patch must come from one cell of a map that some layer returns (a convolution, as a
    rule), or from one box of the picture's own pixels, and they must lie row by row.

    Args:
        probed: with the tensors at the maps' spots.
        first: layout of the first attention.
        maps: the spots to look at, with their shapes ``(1, channels, rows, columns)``.
        fixed: class and register tokens before and after the patches.

    Raises:
        Unplaced: no such map.
    """
    count = first.tokens - sum(fixed)
    for spot, (_, _, rows, columns) in maps:
        if rows * columns == count:
            source = _sources(probed, first, fixed, probed.tokens[spot])
            if source is not None and torch.equal(source, torch.arange(count)):
                return rows, columns
    grid = _of_pixels(probed, first, fixed, count)
    if grid is None:
        raise Unplaced(f"{count} patches make no grid of cells or boxes of the picture")
    return grid


def merged_grid(merged: np.ndarray, grid: Grid, prefix: int, suffix: int) -> Grid:
    """Return the grid that is left when the patches of another are merged.

    Args:
        merged: the token that each token went into, ``(tokens before,)``.
        grid: before.
        prefix, suffix: class and register tokens around the patches, before and after.

    Raises:
        Unplaced: what is left lies on no grid, row by row.
    """
    count = int(merged.max()) + 1
    end = len(merged) - suffix
    cells = merged[prefix:end].reshape(grid) - prefix
    rows, columns = (len(np.unique(line)) for line in (cells[:, 0], cells[0]))
    regular = cells == cells[:, :1] + cells[:1]
    ascending = (np.diff(cells, axis=0) >= 0).all() and (np.diff(cells, axis=1) >= 0).all()
    fixed = [*range(prefix), *range(count - suffix, count)]
    kept = np.array_equal([*merged[:prefix], *merged[end:]], fixed)
    if not (regular.all() and ascending and kept and rows * columns == count - prefix - suffix):
        raise Unplaced(f"{len(merged)} tokens become {count}, which make no grid of patches")
    return rows, columns


def _sources(
    probed: Probed, first: Layout, fixed: tuple[int, int], source: torch.Tensor
) -> torch.Tensor | None:
    """Return the patch that each cell of a map goes into, or None if into several."""
    prefix, suffix = fixed
    tokens = as_tokens(probed.tokens[first.span[0]], first.form)
    heights = (tokens * random_like(tuple(tokens.shape), tokens)).sum(dim=1)
    patches = heights[prefix : len(heights) - suffix]

    def pull(weights: torch.Tensor) -> torch.Tensor:
        return as_tokens(gradient(patches @ weights.to(patches), source), "channels first")

    numbers, mixed = decode(pull, len(patches))
    return None if mixed else numbers


def _of_pixels(probed: Probed, first: Layout, fixed: tuple[int, int], count: int) -> Grid | None:
    """Return the grid if each patch is made from one box of pixels."""
    if probed.x.ndim != 4:
        return None
    numbers = _sources(probed, first, fixed, probed.x)
    if numbers is None:
        return None
    height, width = probed.x.shape[2:]
    numbers = numbers.reshape(height, width)
    columns = len(numbers[0].unique())
    rows = count // columns
    down = torch.arange(height) * rows // height
    across = torch.arange(width) * columns // width
    boxes = down[:, None] * columns + across
    return (rows, columns) if torch.equal(numbers, boxes) else None
