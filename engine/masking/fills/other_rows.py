"""Fills for tables: a hidden column gets what stands in it in another row."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch

from engine.errors import InputError
from engine.execution.draws import generator
from engine.masking.fills.fill import Fill, Forward
from engine.models.loaded import LoadedModel
from engine.models.table_specs import TableSpec

NEAREST = 10


class OtherRows(Fill):
    """Draws another row for each mask, whose cells stand in the hidden columns.

    Args:
        rows: prepared, ``(rows, features)``; None where they are still to be named.
        seed: of the draws, one source for each mask.
        first: number of the first mask.
    """

    seeded = True

    def __init__(self, rows: torch.Tensor | None = None, seed: int = 0, first: int = 0) -> None:
        self.rows = rows
        self.seed = seed
        self.first = first

    def drawn_from(self, seed: int) -> Fill:
        """The same with another seed."""
        return type(self)(self.rows, seed, self.first)

    def drawing_from(self, rows: torch.Tensor) -> Fill:
        """The same with rows to draw from, ``(rows, features)``."""
        if rows.ndim != 2 or not len(rows):
            raise InputError(f"expected rows of shape (rows, features), got {tuple(rows.shape)}")
        return type(self)(rows, self.seed, self.first)

    def of_masks(self, start: int, stop: int) -> Fill:
        """The same with the draws of these masks."""
        return type(self)(self.rows, self.seed, self.first + start)

    def refusal(self, model: LoadedModel) -> str:
        """What is no table, or rows that are missing."""
        if model.family != "tabular":
            return f"the fill {self.name!r} is for tables; use 'mean'"
        if self.rows is None:
            return f"the fill {self.name!r} draws from other rows: name a table, or use 'mean'"
        if tuple(self.rows.shape[1:]) != tuple(model.spec.shape):
            return (
                f"the fill {self.name!r} got rows of {self.rows.shape[1]} features; "
                f"{model.card.title} takes {model.spec.shape[0]}"
            )
        return ""

    def outputs(
        self, model: LoadedModel, forward: Forward, x: torch.Tensor, keep: torch.Tensor
    ) -> torch.Tensor:
        """As in ``Fill``."""
        self.check_suits(model)
        assert self.rows is not None
        rows = self.rows.to(x)
        stays = keep.expand(len(keep), *x.shape[1:])
        chosen = self.choose(model, x, rows, stays.cpu().numpy())
        return forward(torch.where(stays, x, rows[torch.from_numpy(chosen).to(x.device)]))

    @abstractmethod
    def choose(
        self, model: LoadedModel, x: torch.Tensor, rows: torch.Tensor, keep: np.ndarray
    ) -> np.ndarray:
        """Return which row stands in for each mask, int64 ``(n,)``.

        Args:
            model: the model.
            x: ``(1, features)``, prepared.
            rows: ``(rows, features)``, as precise.
            keep: bool ``(n, features)``; True = stays.
        """


class Permutation(OtherRows):
    """Any other row, each as likely: as if the hidden columns were permuted."""

    name = "permutation"
    title = "Another row"
    summary = "What stands in the hidden columns of another row, drawn anew for each mask."

    def choose(
        self, model: LoadedModel, x: torch.Tensor, rows: torch.Tensor, keep: np.ndarray
    ) -> np.ndarray:
        """As in ``OtherRows``."""
        draws = (generator(self.seed, self.first + index) for index in range(len(keep)))
        return np.array([draw.integers(len(rows)) for draw in draws], dtype=np.int64)


class Conditional(OtherRows):
    """One of the ten rows that agree best with what stays (our definition).

    Rows differ by the mean over the columns that stay: of a number |difference| in standard
    deviations, of a category 1 if it is another. Rows as near as the tenth count as well, and
    where nothing stays, all.
    """

    name = "conditional"
    title = "A similar row"
    summary = "What stands in the hidden columns of one of the rows that agree best on the others."

    def choose(
        self, model: LoadedModel, x: torch.Tensor, rows: torch.Tensor, keep: np.ndarray
    ) -> np.ndarray:
        """As in ``OtherRows``."""
        apart = differences(model, x, rows)  # (rows, features)
        found = []
        for index, mask in enumerate(keep):
            far = (apart * mask).sum(axis=1)
            bound = np.partition(far, min(NEAREST, len(far)) - 1)[min(NEAREST, len(far)) - 1]
            near = np.flatnonzero(far <= bound * (1 + 1e-9) + 1e-12)
            found.append(generator(self.seed, self.first + index).choice(near))
        return np.array(found, dtype=np.int64)


def differences(model: LoadedModel, x: torch.Tensor, rows: torch.Tensor) -> np.ndarray:
    """Return how far each feature of some rows is from that of a row, ``(rows, features)``.

    A number counts in standard deviations; a category that is another adds up to 1, however many
    features it takes.
    """
    apart = (rows - x).abs().double().cpu().numpy()
    same = (rows.isnan() & x.isnan()).cpu().numpy()
    apart = np.where(same, 0.0, np.where(np.isnan(apart), 1.0, apart))  # empty cells
    spec = model.spec
    if not isinstance(spec, TableSpec):
        return apart
    for place, column in enumerate(spec.columns):
        own = spec.column_of == place
        if column.kind == "category":
            apart[:, own] = (apart[:, own] > 0).any(axis=1, keepdims=True) / own.sum()
        elif spec.encoding == "codes":
            apart[:, own] /= column.std or 1.0
    return apart
