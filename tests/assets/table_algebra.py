"""Tables and networks for them, read and computed anew in float64, without torch or pandas."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from assets.training.tables import make_tables

ASSETS = Path(__file__).parents[2] / "assets"


def table_of(name: str) -> str:
    """The table of a network: "cancer" of "cancer-mlp"."""
    return name.partition("-")[0]


@cache
def table(name: str) -> tuple[list[str], np.ndarray]:
    """Header, and cells as text ``(n, columns)``, of a table or of a network's."""
    with (ASSETS / f"tables/{table_of(name)}.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return header, np.array(rows)


def read(name: str, file: str) -> dict[str, Any]:
    return json.loads((ASSETS / f"models/{name}/{file}.json").read_text("utf-8"))


def features(name: str) -> np.ndarray:
    """All rows of a network's table, encoded by what columns.json says, float64."""
    parts = []
    for column, cells in zip(read(name, "columns")["columns"], table(name)[1].T, strict=False):
        if column["kind"] == "number":
            parts.append((cells[:, None].astype(np.float64) - column["mean"]) / column["std"])
        else:
            parts.append((cells[:, None] == np.array(column["categories"])).astype(np.float64))
    return np.concatenate(parts, axis=1)


@cache
def outputs(name: str) -> np.ndarray:
    """The network as plain matrix algebra in float64, ``(n,)``."""
    weights = load_file(ASSETS / f"models/{name}/weights.safetensors")
    count = len(weights) // 2
    layers = [f"layers.linear_{place + 1}" for place in range(count - 1)]
    x = features(name)
    for layer in [*layers, "layers.output" if layers else "linear"]:
        x = np.maximum(x, 0) if layer not in ("layers.linear_1", "linear") else x
        x = x @ weights[f"{layer}.weight"].T.astype(np.float64) + weights[f"{layer}.bias"]
    return x[:, 0]


def truth(name: str) -> np.ndarray:
    """1 for the second label, else 0; for the regression the number itself."""
    labels, cells = read(name, "columns").get("labels"), table(name)[1][:, -1]
    return (cells == labels[1]).astype(np.float64) if labels else cells.astype(np.float64)


def held_out(name: str) -> slice:
    return slice(make_tables.HELD_OUT[table_of(name)])
