"""Rows of a table, prepared: gathered, weighted, and multiplied out for an exact average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine.errors import InputError
from engine.models.rows import Rows

# Rows are looked through for repetitions up to this many.
_MOST_MERGED = 50_000


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

    def merged(self) -> Samples:
        """Return the same with rows that are alike taken as one."""
        if len(self) > _MOST_MERGED:
            return self
        found, _, where = _distinct(self.x, self.truth)
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
        rest = np.delete(self.x, columns, axis=1)
        held, _, where = _distinct(rest, self.truth)
        values, _, which = _distinct(self.x[:, columns])
        x = np.repeat(self.x[held], len(values), axis=0)
        x[:, columns] = np.tile(self.x[values][:, columns], (len(held), 1))
        of_rest = np.bincount(where, self.weights, len(held))
        of_values = np.bincount(which, self.weights, len(values))
        weights = np.outer(of_rest, of_values).ravel()
        return Samples(x, np.repeat(self.truth[held], len(values)), weights).merged()

    def size_multiplied(self, columns: np.ndarray) -> int:
        """Return how many rows ``multiplied`` makes before it merges them."""
        rest = np.delete(self.x, columns, axis=1)
        return len(_distinct(rest, self.truth)[0]) * len(_distinct(self.x[:, columns])[0])


def _distinct(*parts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where each different row first is, how often it is, and which each row is."""
    table = np.column_stack([np.asarray(part, np.float64) for part in parts])
    if not table.shape[1]:
        zeros = np.zeros(len(table), np.int64)
        return zeros[:1], np.array([len(table)]), zeros
    # NaN is equal to NaN here: its bits are compared.
    bits = np.ascontiguousarray(table + 0.0).view(np.int64)
    _, first, where, counts = np.unique(
        bits, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    return first, counts, where.reshape(-1)


def blocks_of(column_of: np.ndarray) -> list[np.ndarray]:
    """Return which inputs each column has, by its index."""
    return [np.flatnonzero(column_of == column) for column in range(int(column_of.max()) + 1)]


def inputs_of(blocks: Sequence[np.ndarray], subset: Sequence[int]) -> np.ndarray:
    """Return the inputs of several columns, ascending."""
    return np.sort(np.concatenate([blocks[column] for column in subset]))


__all__ = ["Samples", "blocks_of", "inputs_of"]
