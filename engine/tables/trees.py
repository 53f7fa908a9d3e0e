"""Small decision trees on the columns of the user's table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.models.rows import Rows
from engine.models.table_specs import TableSpec

_DEEP = 8
_LEAST_SHARE = 0.01
_DIGITS = range(4, 17)  # of a threshold, the fewest first


@dataclass(frozen=True, eq=False)
class Questions:
    """What a tree may ask: "is the number at most …", "is the category …".

    Attributes:
        values: float64 ``(n, questions)``: numbers as they are (empty ones at the median), and
            0 or 1 for each category.
        column: the column that each question is about, int64 ``(questions,)``.
        category: the place of the category asked about, -1 of a number, same shape.
    """

    values: np.ndarray
    column: np.ndarray
    category: np.ndarray


def questions_of(rows: Rows) -> Questions:
    """Return what can be asked of rows."""
    values, column, category = [], [], []
    for index, told in enumerate(rows.spec.columns):
        places = [-1] if told.kind == "number" else range(len(told.categories))
        for place in places:
            cells = rows.filled[:, index]
            values.append(cells if place < 0 else (cells == place).astype(np.float64))
            column.append(index)
            category.append(place)
    return Questions(np.stack(values, axis=1), np.array(column), np.array(category))


def most_telling(
    asked: Questions, wanted: np.ndarray, train: np.ndarray, top: int, seed: int
) -> np.ndarray:
    """Return the columns that a deep tree relies on most, at most ``top``, ascending."""
    tree = fitted(asked.values[train], wanted[train], _DEEP, seed)
    weight = np.bincount(asked.column, tree.feature_importances_)
    return np.sort(np.argsort(-weight, kind="stable")[:top])


def fitted(values: np.ndarray, wanted: np.ndarray, depth: int, seed: int) -> Any:
    """Return a regression tree; every leaf has at least 1 % of the rows (our definition)."""
    from sklearn.tree import DecisionTreeRegressor

    least = max(1, int(_LEAST_SHARE * len(values)))
    tree = DecisionTreeRegressor(max_depth=depth, min_samples_leaf=least, random_state=seed % 2**32)
    return tree.fit(values, wanted)


def told_threshold(threshold: float, values: np.ndarray) -> float:
    """Return a threshold as it can be said in full: no value is on another side of it.

    Among whole numbers it is whole; else it has the fewest significant digits that do, four at
    least (our definition).

    Args:
        threshold: "≤ threshold" is one side.
        values: what stands in the column, ``(n,)``.
    """
    low = values <= threshold
    if np.array_equal(values, np.floor(values)):
        return float(np.floor(threshold))
    rounded = (float(f"{threshold:.{digits}g}") for digits in _DIGITS)
    return next((one for one in rounded if np.array_equal(values <= one, low)), threshold)


def conditions(spec: TableSpec, arrays: dict[str, np.ndarray]) -> list[tuple[int, str]]:
    """Return each leaf of a tree with the way to it in words, from left to right.

    Args:
        spec: the columns.
        arrays: the fields of a ``Surrogate``.

    Returns:
        (node, "Age ≤ 40 and Sex is Female"); the way is empty if the root is a leaf.
    """
    found: list[tuple[int, str]] = []

    def walk(node: int, way: list[tuple[int, float, bool]]) -> None:
        column = int(arrays["feature"][node])
        if column < 0:
            found.append((node, " and ".join(_told(spec, way))))
            return
        threshold = float(arrays["threshold"][node])
        for side, child in enumerate(arrays["children"][node]):
            walk(int(child), [*way, (column, threshold, bool(side))])

    walk(0, [])
    return found


def _told(spec: TableSpec, way: list[tuple[int, float, bool]]) -> list[str]:
    """Say the questions on a way in words, those about one column together, in their order."""
    columns = list(dict.fromkeys(column for column, _, _ in way))
    return [
        told
        for column in columns
        for told in _about(spec, column, [(t, right) for c, t, right in way if c == column])
    ]


def _exact(number: float) -> str:
    return repr(float(number)).removesuffix(".0")


def _about(spec: TableSpec, index: int, asked: list[tuple[float, bool]]) -> list[str]:
    column = spec.columns[index]
    if column.kind == "category":
        yes = [column.categories[int(place)] for place, right in asked if right]
        no = [column.categories[int(place)] for place, right in asked if not right]
        if yes:
            return [f"{column.told} is {yes[0]}"]
        return [f"{column.told} is not {' or '.join(no)}"]
    unit = f" {column.unit}" if column.unit else ""
    over, under = [t for t, right in asked if right], [t for t, right in asked if not right]
    bounds = [f"> {_exact(max(over))}"] if over else []
    bounds += [f"≤ {_exact(min(under))}"] if under else []
    return [f"{column.told} {' and '.join(bounds)}{unit}"]
