"""What a model for tables wants: its columns by name, and how a row becomes its tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from engine.errors import ModelError, nearest
from engine.models.columns import (
    Column,
    Encoding,
    codes_of,
    column_dict,
    column_from,
    mean_features,
    names_of,
)

if TYPE_CHECKING:
    import pandas as pd

Task = Literal["classification", "regression"]
_TASKS = ("classification", "regression")
_ENCODINGS = ("one-hot", "codes")


@dataclass(frozen=True)
class TableSpec:
    """Columns by name, in the order of the model's features.

    Attributes:
        columns: what the model reads.
        label: the column that holds the truth, or "".
        labels: what stands in that column for each outcome; for one logit the negative one,
            then the positive one.
        task: "classification" or "regression".
        encoding: "one-hot": numbers standardised, one feature for each category; "codes": one
            feature for each column, numbers as they are, categories by their index.
    """

    columns: tuple[Column, ...]
    label: str = ""
    labels: tuple[str, ...] = ()
    task: Task = "classification"
    encoding: Encoding = "one-hot"

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if not names:
            raise ModelError("a table needs at least one column")
        if twice:
            raise ModelError(f"two columns are named {twice[0]!r}")
        if self.task not in _TASKS:
            raise ModelError(f"no task {self.task!r}; {nearest(str(self.task), _TASKS)}")
        if self.encoding not in _ENCODINGS:
            known = nearest(str(self.encoding), _ENCODINGS)
            raise ModelError(f"no encoding {self.encoding!r}; {known}")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def titles(self) -> tuple[str, ...]:
        """What people call the columns."""
        return tuple(column.told for column in self.columns)

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """How many features each column has."""
        hot = self.encoding == "one-hot"
        return tuple(len(c.categories) if hot and c.kind == "category" else 1 for c in self.columns)

    @property
    def shape(self) -> tuple[int]:
        """Shape of one sample: ``(features,)``."""
        return (sum(self.widths),)

    @cached_property
    def column_of(self) -> np.ndarray:
        """The column of each feature, int64 ``(features,)``."""
        return np.repeat(np.arange(len(self.columns)), self.widths)

    @property
    def precision(self) -> type[np.floating]:
        """Of the features: float32; of codes float64, so that a date or an id stays what it is."""
        return np.float64 if self.encoding == "codes" else np.float32

    @cached_property
    def mean_row(self) -> np.ndarray:
        """What stands for "nothing known", in our precision, ``(features,)``.

        Numbers at their mean; one-hot features at their share; codes at the commonest.
        """
        parts = [mean_features(column, self.encoding) for column in self.columns]
        return np.concatenate(parts).astype(self.precision)

    def describe(self) -> dict[str, Any]:
        """Return what the manifest tells of it."""
        return {"kind": "table", "encoding": self.encoding, **self.as_dict()}

    def as_dict(self) -> dict[str, Any]:
        """Return what ``from_dict`` takes."""
        return {
            "columns": [column_dict(column) for column in self.columns],
            "label": self.label,
            "labels": list(self.labels),
            "task": self.task,
        }

    @staticmethod
    def from_dict(told: Mapping[str, Any], encoding: Encoding = "one-hot") -> TableSpec:
        """Build one from what a ``columns.json`` says.

        Raises:
            ModelError: no columns, or an unknown field.
        """
        if not isinstance(told, Mapping) or not _is_list(told.get("columns")):
            raise ModelError('columns: expected an object with a list "columns"')
        if not _is_list(told.get("labels", [])):
            raise ModelError('columns: "labels" is a list of texts')
        unknown = sorted(set(told) - {"columns", "label", "labels", "task", "encoding"})
        if unknown:
            raise ModelError(f"columns: unknown field {unknown[0]!r}")
        return TableSpec(
            columns=tuple(column_from(column) for column in told["columns"]),
            label=str(told.get("label") or ""),
            labels=tuple(str(label) for label in told.get("labels", ())),
            task=told.get("task", "classification"),
            encoding=told.get("encoding", encoding),
        )

    def encode(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the features of rows, in our precision, ``(n, features)``.

        Args:
            frame: one typed column for each of ours, as ``match`` returns them.
        """
        parts = [self._features(column, frame[column.name]) for column in self.columns]
        return np.concatenate(parts, axis=1).astype(self.precision)

    def decode(self, features: np.ndarray) -> pd.DataFrame:
        """Return rows as a frame, from codes ``(n, columns)``: what a black box is given."""
        import pandas as pd

        if self.encoding != "codes":
            raise ModelError("only rows in codes can be turned back into a table")
        told: dict[str, Any] = {}
        for index, column in enumerate(self.columns):
            values = features[:, index].astype(np.float64)
            if column.kind == "category":
                told[column.name] = pd.Series(names_of(column, values), dtype="str")
            else:
                told[column.name] = values
        return pd.DataFrame(told)

    def fold(self, values: torch.Tensor) -> torch.Tensor:
        """Sum over the features of each column: ``(…, features)`` → ``(…, columns)``."""
        if len(self.columns) == self.shape[0]:
            return values
        index = torch.from_numpy(self.column_of).to(values.device)
        out = values.new_zeros((*values.shape[:-1], len(self.columns)))
        return out.index_add(-1, index, values)

    def spread(self, keep: torch.Tensor) -> torch.Tensor:
        """Repeat for the features of each column: ``(…, columns)`` → ``(…, features)``."""
        return keep[..., torch.from_numpy(self.column_of).to(keep.device)]

    def _features(self, column: Column, cells: pd.Series) -> np.ndarray:
        if column.kind == "number":
            values = cells.to_numpy(np.float64)
            scaled = (values - column.mean) / column.std if self.encoding == "one-hot" else values
            return scaled[:, None]
        codes = np.asarray(cells.cat.codes) if hasattr(cells, "cat") else codes_of(column, cells)
        if self.encoding == "codes":
            return np.where(codes < 0, np.nan, codes)[:, None]
        return (codes[:, None] == np.arange(len(column.categories))).astype(np.float32)


def _is_list(told: Any) -> bool:
    return isinstance(told, Sequence) and not isinstance(told, str)


__all__ = ["Column", "Encoding", "TableSpec", "Task"]
