"""Models and tables whose interactions can be worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from engine.execution.chunks import Chunks
from engine.execution.passes import Passes
from engine.inputs.tables import Table, load_table
from engine.interactions.columns_first import in_double
from engine.interactions.table_data import table_data
from engine.interactions.table_world import TableWorld
from engine.interactions.world import World, permutations
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.table_specs import Column, TableSpec

Function = Callable[[torch.Tensor], torch.Tensor]


class Formula(nn.Module):
    """(n, features) → (n, 1) in double precision, by a formula."""

    def __init__(self, function: Function) -> None:
        super().__init__()
        self.function = function
        self.precision = nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)[:, None] + 0 * self.precision


def formula(function: Function, features: int) -> LoadedModel:
    """A regression on columns "x0" … that are not standardised, in double precision."""
    columns = tuple(Column(f"x{i}", low=-9.0, high=9.0) for i in range(features))
    spec = TableSpec(columns, label="y", task="regression")
    return load_model(Formula(function), input_spec=spec, classes=["value"], device="cpu")


def linear(weights: Sequence[float], bias: float = 0.0) -> LoadedModel:
    told = torch.tensor(list(weights), dtype=torch.float64)
    return formula(lambda x: x @ told + bias, len(weights))


def table_of(x: np.ndarray, y: np.ndarray | Sequence[Any]) -> Table:
    columns = {f"x{i}": x[:, i] for i in range(x.shape[1])}
    return load_table(pd.DataFrame({**columns, "y": y}), name="rows")


def factorial(features: int) -> np.ndarray:
    """All rows of −1 and 1, float64 ``(2 ** features, features)``."""
    return np.array(list(product((-1.0, 1.0), repeat=features)))


def world_of(model: LoadedModel, table: Table, repeats: int = 30, seed: int = 0) -> World:
    """The model over all rows, in double precision where it can be."""
    data = table_data(model, table, None, len(table), seed)
    bank = permutations(data.count, repeats, seed)
    return TableWorld(Passes(in_double(model)), Chunks(data.chunk), data.rows, bank)


def base_of(world: World) -> float:
    return float(world.losses(np.ones((1, world.features)))[0])
