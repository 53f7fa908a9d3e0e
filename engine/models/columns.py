"""A column as a model was trained on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from engine.errors import ModelError

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["number", "category"]
Encoding = Literal["one-hot", "codes"]
_KINDS = ("number", "category")


@dataclass(frozen=True)
class Column:
    """A column as the model was trained on it.

    Attributes:
        name: in the user's table.
        kind: "number" or "category".
        categories: of a category, in the order of its features.
        mean, std: of a number, by which it is standardised.
        shares: of a category: how frequent each was.
        low, high: the range of a number that was seen in training.
        whole: only whole numbers make sense.
        optional: may be empty (only for models that take that themselves).
        title, unit: what people call it.
        written: of a category: how each stood in the table, white space included, where that
            differs from what it is called; an estimator is given these.
    """

    name: str
    kind: Kind = "number"
    categories: tuple[str, ...] = ()
    mean: float = 0.0
    std: float = 1.0
    shares: tuple[float, ...] = ()
    low: float | None = None
    high: float | None = None
    whole: bool = False
    optional: bool = False
    title: str = ""
    unit: str = ""
    written: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wrong = self._wrong()
        if wrong:
            raise ModelError(f"column {self.name!r}: {wrong}")

    def _wrong(self) -> str:
        """Say what makes no sense, or "" where all does."""
        numbers = {"mean": self.mean, "std": self.std, "low": self.low, "high": self.high}
        for name, value in numbers.items():
            if not _is_number(value) and not (value is None and name in ("low", "high")):
                return f"{name} is a number, not {value!r}"
        if not self.std > 0:
            return "std must be above 0"
        if self.low is not None and self.high is not None and self.low > self.high:
            return f"low ({self.low:g}) is above high ({self.high:g})"
        for name in ("title", "unit"):
            if not isinstance(getattr(self, name), str):
                return f"{name} is a text, not {getattr(self, name)!r}"
        if self.kind not in _KINDS:
            return f"kind is number or category, not {self.kind!r}"
        return self._wrong_categories()

    def _wrong_categories(self) -> str:
        if not _all(self.categories, lambda name: isinstance(name, str)):
            return "categories is a list of texts"
        if not _all(self.shares, _is_number):
            return "shares is a list of numbers"
        if any(share < 0 for share in self.shares):
            return "shares are not below 0"
        if self.kind == "category" and not self.categories:
            return "a category needs a list of categories"
        twice = [name for name in self.categories if self.categories.count(name) > 1]
        if twice:
            return f"the category {twice[0]!r} stands there twice"
        if self.shares and len(self.shares) != len(self.categories):
            return f"{len(self.shares)} shares for {len(self.categories)} categories"
        if not _all(self.written, lambda name: isinstance(name, str)):
            return "written is a list of texts"
        if self.written and len(self.written) != len(self.categories):
            return f"{len(self.written)} texts written for {len(self.categories)} categories"
        return ""

    @property
    def told(self) -> str:
        """What people call it."""
        return self.title or self.name

    @property
    def spellings(self) -> tuple[str, ...]:
        """The categories as an estimator is given them."""
        return self.written or self.categories


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _all(values: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(values, tuple) and all(fits(value) for value in values)


def codes_of(column: Column, cells: pd.Series) -> np.ndarray:
    """Return the place of each cell among the categories, -1 for none; ``(n,)``."""
    index = {name: place for place, name in enumerate(column.categories)}
    return np.array([index.get(cell, -1) for cell in cells])


def names_of(column: Column, codes: np.ndarray) -> np.ndarray:
    """Return the category of each code as it was written, None for NaN; ``(n,)``."""
    names = np.array([*column.spellings, None], dtype=object)
    return names[np.where(np.isnan(codes), len(column.categories), codes).astype(np.int64)]


def mean_features(column: Column, encoding: Encoding) -> np.ndarray:
    """Return what stands for "nothing known" in a column's features."""
    if column.kind == "number":
        return np.array([0.0 if encoding == "one-hot" else column.mean])
    count = len(column.categories)
    shares = np.array(column.shares or [1 / count] * count)
    return shares if encoding == "one-hot" else np.array([float(shares.argmax())])


def column_dict(column: Column) -> dict[str, Any]:
    """Return what differs from the defaults."""
    told = {
        f.name: getattr(column, f.name)
        for f in fields(column)
        if getattr(column, f.name) != f.default
    }
    return {name: list(v) if isinstance(v, tuple) else v for name, v in told.items()}


def column_from(told: Any) -> Column:
    """Build a column from what ``column_dict`` returns.

    Raises:
        ModelError: no name, or an unknown field.
    """
    if not isinstance(told, Mapping) or not isinstance(told.get("name"), str):
        raise ModelError("columns: each needs a name")
    known = {f.name for f in fields(Column)}
    unknown = sorted(set(told) - known)
    if unknown:
        raise ModelError(f"column {told['name']!r}: unknown field {unknown[0]!r}")
    plain: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in told.items()
    }
    return Column(**plain)
