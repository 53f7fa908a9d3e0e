"""Rows of a table, prepared: gathered, weighted, and multiplied out for an exact average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.errors import InputError
from engine.models.rows import Rows

# Rows are looked through for repetitions up to this many.
_MOST_MERGED = 50_000
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ROUNDS = ((30, np.uint64(0xBF58476D1CE4E5B9)), (27, np.uint64(0x94D049BB133111EB)))


@dataclass(frozen=True, eq=False)
class Samples:
    """Prepared rows with their truth and weights.

    Attributes:
        x: ``(n, inputs)``, what the network sees.
        truth: ``(n,)``: index of the outcome, or a value.
        weights: float64 ``(n,)``, adding up to 1.
    """

    x: np.ndarray
    truth: np.ndarray
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    @staticmethod
    def of(rows: Rows) -> Samples:
        """Return all rows, each with the same weight.

        Raises:
            InputError: nothing says what is true of them.
        """
        if rows.truth is None:
            raise InputError(f"{rows.table.name} has no label; interactions need the truth")
        return Samples(rows.features, rows.truth, np.full(len(rows), 1 / len(rows)))

    @cached_property
    def _marks(self) -> np.ndarray:
        """A mark for each cell, the truth last: uint64 ``(n, inputs + 1)``."""
        cells = np.column_stack([np.asarray(self.x, np.float64), self.truth.astype(np.float64)])
        return _marks_of(cells)

    @cached_property
    def _whole(self) -> np.ndarray:
        """The mark of each row, ``(n,)``: the sum of its cells', so that parts can be taken off."""
        return np.asarray(self._marks.sum(axis=1, dtype=np.uint64))

    def merged(self) -> Samples:
        """Return the same with rows that are alike taken as one."""
        if len(self) > _MOST_MERGED:
            return self
        found, where = _distinct(self._whole)
        if len(found) > 0.8 * len(self):
            return self
        weights = np.bincount(where, self.weights, len(found))
        return Samples(self.x[found], self.truth[found], weights)

    def multiplied(self, columns: np.ndarray) -> Samples:
        """Return every value of some columns in place of every other: what permuting averages.

        The mean over all permutations of n rows is that over all n² pairs of a row and values of
        another, because each row is given each row's values equally often.

        Args:
            columns: of x, which are moved together.
        """
        own = self._of(columns)
        held, where = _distinct(self._whole - own)
        values, which = _distinct(own)
        x = np.repeat(self.x[held], len(values), axis=0)
        x[:, columns] = np.tile(self.x[values][:, columns], (len(held), 1))
        of_rest = np.bincount(where, self.weights, len(held))
        of_values = np.bincount(which, self.weights, len(values))
        weights = np.outer(of_rest, of_values).ravel()
        return Samples(x, np.repeat(self.truth[held], len(values)), weights).merged()

    def size_multiplied(self, columns: np.ndarray) -> int:
        """Return how many rows ``multiplied`` makes before it merges them."""
        own = self._of(columns)
        return len(np.unique(self._whole - own)) * len(np.unique(own))

    def _of(self, columns: np.ndarray) -> np.ndarray:
        """Return the mark of some columns of each row, ``(n,)``."""
        return np.asarray(self._marks[:, columns].sum(axis=1, dtype=np.uint64))


def _distinct(marks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where each different row first is, and which of these each row is."""
    _, first, where = np.unique(marks, return_index=True, return_inverse=True)
    return first, where.reshape(-1)


def _marks_of(cells: np.ndarray) -> np.ndarray:
    """Return 64 bits that stand for each cell and its column, uint64 (NaN is equal to NaN).

    Two rows out of 100,000 have the same sum of marks by chance once in 10⁹ tables. Mixed as by
    splitmix64: without it the many zeros of round numbers would make sums meet.
    """
    bits = np.ascontiguousarray(cells + 0.0).view(np.uint64)  # −0 is 0
    salt = np.arange(1, cells.shape[1] + 1, dtype=np.uint64) * _GOLDEN
    mixed: np.ndarray = bits + salt
    for shift, factor in _ROUNDS:
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * factor
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def blocks_of(column_of: np.ndarray) -> list[np.ndarray]:
    """Return which inputs each column has, by its index."""
    return [np.flatnonzero(column_of == column) for column in range(int(column_of.max()) + 1)]


def inputs_of(blocks: Sequence[np.ndarray], subset: Sequence[int]) -> np.ndarray:
    """Return the inputs of several columns, ascending."""
    return np.sort(np.concatenate([blocks[column] for column in subset]))


__all__ = ["Samples", "blocks_of", "inputs_of"]
