"""The cells in which a model's input is hidden, and masks of its own size."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from engine.attention.sites import attention_sites
from engine.errors import MethodError, ParameterError
from engine.masking.cells import Grid, enlarge
from engine.models.loaded import LoadedModel
from engine.models.table_specs import TableSpec

CELLS = 14
SMALLEST = 4  # pixels along the side of a cell


def usual_grid(model: LoadedModel) -> Grid:
    """Return the rows and columns of cells in which a model's input is hidden.

    The patches of a transformer, where they are known; else 14 × 14, fewer where a cell would
    be under 4 pixels, and rather such a number (no less than half) that all cells are of the same
    size. Of a table, its columns.

    Raises:
        MethodError: the input is neither a picture nor a row.
    """
    height, width = extent(model)
    if len(model.spec.shape) == 1:
        return height, width
    patches = attention_sites(model).grid if model.family == "vit" else None
    return patches or (_cells_along(height), _cells_along(width))


def extent(model: LoadedModel) -> Grid:
    """Return the finest grid: height and width in pixels, or 1 and the columns of a table.

    Raises:
        MethodError: the input is neither a picture nor a row.
    """
    spec = model.spec
    if isinstance(spec, TableSpec):
        return 1, len(spec.columns)
    if len(spec.shape) == 1:
        return 1, spec.shape[0]
    if len(spec.shape) == 3:
        return spec.shape[-2], spec.shape[-1]
    raise MethodError(
        f"{model.card.title} takes tensors of shape {spec.shape}; masks are for pictures "
        "(channels, height, width) and rows"
    )


def checked_grid(model: LoadedModel, grid: Any) -> Grid:
    """Return a grid as rows and columns; a number stands for both, None for the usual ones.

    Raises:
        ParameterError: it is no grid, or finer than the input.
    """
    if grid is None:
        return usual_grid(model)
    given = (grid, grid) if isinstance(grid, int) else grid
    try:
        rows, columns = (int(length) for length in given)
    except (TypeError, ValueError):
        raise ParameterError(f"grid={grid!r}: expected rows and columns, (14, 14)") from None
    height, width = extent(model)
    if not (1 <= rows <= height and 1 <= columns <= width):
        raise ParameterError(
            f"grid={rows}×{columns} is out of range: from 1×1 to the input's {height}×{width}"
        )
    if len(model.spec.shape) == 1 and (rows, columns) != (height, width):
        raise ParameterError(f"grid={rows}×{columns}: a table is hidden by its {width} columns")
    return rows, columns


def on_input(model: LoadedModel, cells: np.ndarray | torch.Tensor) -> torch.Tensor:
    """Bring what cells have to the input: ``(n, rows, columns)`` → broadcastable to ``(n, …)``."""
    spec = model.spec
    values = torch.as_tensor(cells)
    if isinstance(spec, TableSpec):
        return spec.spread(values[:, 0])
    if len(spec.shape) == 1:
        return values[:, 0]
    size = spec.shape[-2:]
    if values.shape[1:] == size:
        return values[:, None]
    return torch.from_numpy(enlarge(values.numpy(), *size))[:, None]


def _cells_along(pixels: int) -> int:
    most = max(1, min(CELLS, pixels // SMALLEST))
    even = [count for count in range(most, 0, -1) if pixels % count == 0]
    return even[0] if 2 * even[0] >= most else most
