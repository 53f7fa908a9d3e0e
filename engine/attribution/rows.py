"""What an explanation of a table's row tells beside its values."""

from __future__ import annotations

from typing import Any

import torch

from engine.inputs.tables import Row, Table, plain_cell
from engine.models.loaded import Given
from engine.models.matching import match_row
from engine.models.specs import InputSpec
from engine.models.table_specs import TableSpec


def table_of(given: Given) -> Table | None:
    """Return the table that a row is compared with unless another is named."""
    if isinstance(given, Row) and given.table is not None and len(given.table) > 1:
        return given.table
    return None


def per_column(values: torch.Tensor, spec: InputSpec) -> torch.Tensor:
    """Bring one value per feature to one per column; what is per column already stays."""
    if isinstance(spec, TableSpec) and values.shape[-1:] == spec.shape:
        return spec.fold(values.cpu())  # where sums come out the same each time
    return values


def column_count(spec: InputSpec) -> int:
    """Return how many columns a row has; without a table, each feature is one."""
    return len(spec.columns) if isinstance(spec, TableSpec) else torch.Size(spec.shape).numel()


def columns_told(spec: InputSpec) -> dict[str, Any]:
    """Return names and titles of the columns, for models of tables."""
    if not isinstance(spec, TableSpec):
        return {}
    return {"columns": list(spec.names), "titles": list(spec.titles), "task": spec.task}


def row_told(given: Given, spec: InputSpec) -> dict[str, Any] | None:
    """Return what stands in the model's columns of a row; None for other inputs."""
    if not isinstance(given, Row) or not isinstance(spec, TableSpec):
        return None
    frame = match_row(given, spec)
    return {name: plain_cell(frame[name].iloc[0]) for name in spec.names}
