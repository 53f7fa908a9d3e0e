"""Made-up findings, for examples and tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.results import Attribution
from engine.table_results import Agreement, ColumnScores, Effects, Groups, Surrogate, Swarm

_WORDS = ("Worst area", "Worst concave points", "Mean texture", "Mean symmetry", "Area error")
TITLES = (*_WORDS, *(f"Measure {n}" for n in range(6, 16)))


def manifest(measure: str = "swarm", output: str = "probability", **display: Any) -> dict[str, Any]:
    """Return a manifest of a finding about 15 columns."""
    columns = [title.lower() for title in TITLES]
    return {
        "key": "example",
        "request": {
            "measure": {"name": measure, "parameters": {}},
            "target": {"index": 1, "name": "malignant"},
            "versus": None,
            "output": output,
        },
        "display": {
            "columns": columns,
            "titles": list(TITLES),
            "unit": "probability",
            "units": ["mm²", *[""] * 14],
            "task": "classification",
            **display,
        },
        "source": {"model_title": "A network", "measure_title": measure, "table": "a table"},
        "outcome": {"rows": 200, "of": 569},
    }


def attribution(values: np.ndarray | None = None, output: str = "probability") -> Attribution:
    """An explanation of a made-up row with 15 columns."""
    given = np.linspace(0.14, -0.06, 15) if values is None else values
    total = float(given.astype(np.float32).astype(np.float64).sum())
    told = manifest(output=output)
    told["request"]["method"] = told["request"].pop("measure")
    cells = np.linspace(880, 0.3, 15).tolist()
    told["source"]["row"] = dict(zip(told["display"]["columns"], cells, strict=True))
    told["outcome"] = {
        "base": 0.2,
        "completeness": {"sum": total, "difference": total, "gap": 0.0},
    }
    return Attribution(told, given.astype(np.float32))


def swarm(rows: int = 200, output: str = "probability") -> Swarm:
    """Explanations of made-up rows: the first columns matter most."""
    draw = np.random.default_rng(0)
    inputs = draw.gamma(2.0, 300.0, size=(rows, 15))
    inputs[:, 3] = draw.integers(0, 4, rows)
    inputs[::17, 2] = np.nan
    slopes = np.geomspace(0.1, 0.004, 15) * np.where(np.arange(15) % 3, -1, 1)
    values = np.nan_to_num((inputs - 600) / 420) * slopes + draw.normal(0, 0.01, (rows, 15))
    told = manifest(output=output, categories={"mean symmetry": ["none", "low", "some", "high"]})
    told["outcome"]["base"] = 0.37
    return Swarm(
        told,
        values.astype(np.float32),
        inputs,
        np.arange(1, rows + 1, dtype=np.int32),
        (0.37 + values.sum(axis=1)).astype(np.float32),
    )


def scores(values: np.ndarray | None = None, measure: str = "permutation") -> ColumnScores:
    """Made-up importance of 15 columns; the last ones make no difference."""
    given = np.geomspace(0.12, 0.0005, 15) if values is None else values
    told = manifest(measure, unit="log-loss")
    return ColumnScores(told, given.astype(np.float32), np.full(len(given), 0.004, np.float32))


def effects(category: bool = False, measure: str = "partial-dependence") -> Effects:
    """How a made-up prediction rises with a column."""
    names = ["never", "once", "twice", "often"] if category else None
    grid = np.arange(4.0) if category else np.linspace(185, 4254, 40)
    draw = np.random.default_rng(0)
    middle = 0.1 + 0.8 / (1 + np.exp(-(grid - grid.mean()) / (grid.std() * 0.4)))
    lines = np.clip(middle + draw.normal(0, 0.15, (80, 1)), 0, 1).astype(np.float32)
    told = manifest(
        measure,
        column="worst area",
        column_title="Worst area",
        column_unit="mm²",
        categories=names,
        unit="probability",
    )
    seen = draw.integers(0, 4, 300) if category else draw.gamma(3.0, 300.0, 300) + 185
    return Effects(
        told,
        grid,
        middle.astype(np.float32),
        np.full(len(grid), 0.02, dtype=np.float32),
        lines,
        np.arange(1, 81, dtype=np.int32),
        seen.astype(np.float64),
    )


def groups() -> Groups:
    """Three made-up groups of 15 columns."""
    group = np.repeat([0, 1, 2], [7, 5, 3]).astype(np.int32)
    same = group[:, None] == group
    found = np.where(same, 0.8, 0.15).astype(np.float32)
    np.fill_diagonal(found, 1)
    values, error = np.array([0.2, 0.1, 0.03]), np.array([0.02, 0.01, 0.01])
    return Groups(
        manifest("groups"), found, group, values.astype(np.float32), error.astype(np.float32)
    )


def agreement(matrix: np.ndarray | None = None) -> Agreement:
    """Three made-up measures, the third of them apart."""
    apart = np.array([[1, 0.91, 0.25], [0.91, 1, 0.15], [0.25, 0.15, 1]])
    given = apart if matrix is None else matrix
    names = ["Permutation", "SHAP", "OutRank", "Tree", "Gain"][: len(given)]
    told = manifest("agreement", measures=names)
    return Agreement(told, given.astype(np.float32), np.zeros((len(given), 15), dtype=np.float32))


def surrogate(depth: int = 3, r2: float = 0.87, output: str = "probability") -> Surrogate:
    """A made-up tree that asks at every node down to a depth."""
    inner, nodes = 2**depth - 1, 2 ** (depth + 1) - 1
    index = np.arange(nodes)
    asks = index < inner
    level = np.floor(np.log2(index + 1)).astype(int)
    step = (index + 1 - 2**level) / np.maximum(1, 2**level - 1)
    told = manifest("surrogate", output=output)
    told["outcome"] |= {"fidelity": {"r2": r2, "agreement": 0.91}, "rules": ["a rule"]}
    return Surrogate(
        told,
        np.zeros(15, dtype=np.float32),
        np.where(asks, index % 3, -1).astype(np.int32),
        np.where(asks, (880 / (index + 1)).round(1), 0.0),
        np.where(asks[:, None], np.stack([2 * index + 1, 2 * index + 2], 1), -1).astype(np.int32),
        (0.05 + 0.9 * step).astype(np.float32),
        (1 / 2.0**level).astype(np.float32),
    )
