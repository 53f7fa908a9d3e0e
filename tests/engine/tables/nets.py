"""Small models for tables whose answers can be worked out by hand, and tables for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from engine.inputs.tables import Table, load_table
from engine.models.learning_columns import learn_columns
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.table_specs import Column, TableSpec

KINDS = ("red", "green", "blue")


def table_of(**columns: Any) -> Table:
    return load_table(pd.DataFrame(columns), name="rows")


def normal_table(rows: int = 200, columns: int = 3, seed: int = 0, **more: Any) -> Table:
    """Independent standard normal columns "x0", "x1" …"""
    drawn = np.random.default_rng(seed).normal(size=(rows, columns))
    return table_of(**{f"x{i}": drawn[:, i] for i in range(columns)}, **more)


def linear(weights: Sequence[float], bias: float = 0.0, label: str = "y") -> LoadedModel:
    """A regression: bias + weights · x, on columns "x0" … that are not standardised."""
    with torch.random.fork_rng(), torch.no_grad():
        module = nn.Linear(len(weights), 1)
        module.weight.copy_(torch.tensor([list(weights)]))
        module.bias.fill_(bias)
    columns = tuple(Column(f"x{i}", low=-9.0, high=9.0) for i in range(len(weights)))
    spec = TableSpec(columns, label=label, task="regression")
    return load_model(module, input_spec=spec, classes=["value"], device="cpu")


def mixed_table(rows: int = 120, seed: int = 0) -> Table:
    """Numbers, of which two go together, a category and a label "yes" or "no"."""
    draw = np.random.default_rng(seed)
    size = draw.normal(30, 5, rows)
    kind = draw.choice(KINDS, rows, p=(0.5, 0.3, 0.2))
    score = (size - 30) / 5 + (kind == "red") + draw.normal(0, 0.5, rows)
    return table_of(
        size=size,
        weight=2 * size + draw.normal(0, 3, rows),
        age=draw.integers(18, 90, rows),
        kind=kind,
        label=np.where(score > 0.5, "yes", "no"),
    )


def mixed_net(outputs: int = 1, table: Table | None = None) -> LoadedModel:
    """A small network for the mixed table: one logit, or one for "no" and one for "yes"."""
    spec = learn_columns(table or mixed_table(), "label")
    with torch.random.fork_rng():
        torch.manual_seed(1)
        module = nn.Sequential(nn.Linear(spec.shape[0], 8), nn.Tanh(), nn.Linear(8, outputs))
        nn.init.normal_(module[0].weight, std=0.8)
        nn.init.normal_(module[2].weight, std=1.5)
    classes = ["yes"] if outputs == 1 else ["no", "yes", "never"][:outputs]
    return load_model(module, input_spec=spec, classes=classes, device="cpu")


def forest(regression: bool = False) -> LoadedModel:
    """An estimator that is no network, on the numbers of the mixed table."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    table = mixed_table()
    numbers = table.frame[["size", "weight", "age"]]
    if regression:
        fitted = RandomForestRegressor(5, max_depth=3, random_state=0).fit(
            numbers, np.sqrt(table.frame["age"])
        )
        return load_model(fitted, device="cpu")
    fitted = RandomForestClassifier(5, max_depth=4, random_state=0)
    return load_model(fitted.fit(numbers, table.frame["label"]), device="cpu")


def predict(model: LoadedModel, table: Table) -> np.ndarray:
    """What the network itself says, without the engine: float32 ``(n, outputs)``."""
    with torch.no_grad():
        return model.module(model.prepare_table(table)).numpy()


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x.astype(np.float64)))
