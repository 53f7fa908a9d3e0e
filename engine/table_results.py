"""What is found out about the columns of a table; numpy only.

Every manifest has, beside ``request``, ``key``, ``source`` and ``outcome``, a ``display``:
``columns`` (names), ``titles`` (what people call them), ``unit`` (of the values, in words).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from engine.results import Result


@dataclass(frozen=True, eq=False)
class Measured(Result):
    """What all findings about columns have."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in the model's order."""
        return tuple(self.manifest["display"]["columns"])

    @property
    def titles(self) -> tuple[str, ...]:
        """What people call the columns."""
        return tuple(self.manifest["display"]["titles"])

    @property
    def outcome(self) -> dict[str, Any]:
        """What happened: passes, seconds, rows used, and what the measure says of itself."""
        return dict(self.manifest["outcome"])


@dataclass(frozen=True, eq=False)
class ColumnScores(Measured):
    """One number for each column.

    Attributes:
        values: float32 ``(columns,)``, larger is more important; unit in the display.
        error: standard error, same shape, or None where nothing is drawn.
    """

    kind: ClassVar[str] = "column-scores"
    arrays: ClassVar[tuple[str, ...]] = ("values", "error")

    values: np.ndarray
    error: np.ndarray | None = None

    def order(self) -> np.ndarray:
        """Places of the columns, the most important first."""
        return np.argsort(-self.values, kind="stable")


@dataclass(frozen=True, eq=False)
class Effects(Measured):
    """How the prediction moves with one column (``display["column"]``).

    Attributes:
        grid: float64 ``(points,)``, the column's values; of a category, the places of its names
            in ``display["categories"]``.
        values: float32 ``(points,)``: partial dependence, or accumulated local effect.
        error: standard error, same shape, or None.
        lines: float32 ``(rows, points)``: one curve for each row (ICE), or None.
        rows: int32 ``(rows,)``: the rows' numbers, counted from 1, or None.
        density: float64 ``(seen,)``: the column's values in the rows used, for a rug; or None.
    """

    kind: ClassVar[str] = "effects"
    arrays: ClassVar[tuple[str, ...]] = ("grid", "values", "error", "lines", "rows", "density")

    grid: np.ndarray
    values: np.ndarray
    error: np.ndarray | None = None
    lines: np.ndarray | None = None
    rows: np.ndarray | None = None
    density: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Swarm(Measured):
    """The explanations of many rows, to be drawn as a beeswarm.

    Attributes:
        values: float32 ``(rows, columns)``: what each column adds to each row's score.
        inputs: float64 ``(rows, columns)``: what stands there; of a category, its place in
            ``display["categories"][column]``; NaN where nothing does.
        rows: int32 ``(rows,)``: the rows' numbers, counted from 1.
        scores: float32 ``(rows,)``: the explained number of each row.

    ``outcome["base"]`` is the score that all values are added to, where the method has one.
    """

    kind: ClassVar[str] = "swarm"
    arrays: ClassVar[tuple[str, ...]] = ("values", "inputs", "rows", "scores")

    values: np.ndarray
    inputs: np.ndarray
    rows: np.ndarray
    scores: np.ndarray

    def importance(self) -> np.ndarray:
        """Mean absolute value of each column, float32 ``(columns,)``."""
        return np.asarray(np.abs(self.values).mean(axis=0, dtype=np.float64), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Groups(Measured):
    """Columns that go together, and what each group counts for as one.

    Attributes:
        correlation: float32 ``(columns, columns)``: how strongly two columns go together, 0 to 1
            in size.
        group: int32 ``(columns,)``: the group of each column, 0 the most important.
        values: float32 ``(groups,)``: mean absolute Shapley value of the group.
        error: standard error over the rows, same shape.
    """

    kind: ClassVar[str] = "groups"
    arrays: ClassVar[tuple[str, ...]] = ("correlation", "group", "values", "error")

    correlation: np.ndarray
    group: np.ndarray
    values: np.ndarray
    error: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Agreement(Measured):
    """How far measures of importance put the columns in the same order.

    Attributes:
        matrix: float32 ``(measures, measures)``: Spearman's rank correlation.
        values: float32 ``(measures, columns)``: what each measure said.

    ``display["measures"]`` has the titles of the measures.
    """

    kind: ClassVar[str] = "agreement"
    arrays: ClassVar[tuple[str, ...]] = ("matrix", "values")

    matrix: np.ndarray
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class Surrogate(Measured):
    """A small decision tree that imitates the model.

    Attributes:
        values: float32 ``(columns,)``: the tree's importance of each column.
        feature: int32 ``(nodes,)``: the column that a node asks about; -1 at a leaf.
        threshold: float64 ``(nodes,)``: of a number, "≤ threshold" goes left; of a category,
            the place of the name that goes right, all others left.
        children: int32 ``(nodes, 2)``: left and right; -1 at a leaf.
        prediction: float32 ``(nodes,)``: the mean of the model's number there.
        share: float32 ``(nodes,)``: of the rows.

    ``outcome["fidelity"]`` tells on rows that the tree has not seen how well it imitates,
    ``outcome["rules"]`` has a sentence for each leaf.
    """

    kind: ClassVar[str] = "surrogate"
    arrays: ClassVar[tuple[str, ...]] = (
        "values",
        "feature",
        "threshold",
        "children",
        "prediction",
        "share",
    )

    values: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    children: np.ndarray
    prediction: np.ndarray
    share: np.ndarray
