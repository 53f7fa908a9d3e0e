"""Rows dealt to samples: every row once before any comes again, so that their spread cancels."""

from __future__ import annotations

import numpy as np
import torch

# With fewer samples beyond one for each row, the spread within rows is not known well enough.
_LEAST = 10


def deal(seed: int, rows: int) -> torch.Tensor:
    """Return the order in which rows are dealt, int64 ``(rows,)``; sample i gets i mod rows."""
    return torch.from_numpy(np.random.default_rng([seed % 2**64, rows, 0]).permutation(rows))


class Dealt:
    """Mean over all rows, and its standard error, of samples that were dealt rows; float64.

    As soon as every row was dealt, only the spread between samples of the same row is left in
    the error; before that it is the error of independent draws, which is no less.

    Args:
        rows: how many there are.
    """

    def __init__(self, rows: int) -> None:
        self._counts = torch.zeros(rows, dtype=torch.float64)
        self._sums = torch.zeros((), dtype=torch.float64)  # (rows, values) from the first on
        self._squares = torch.zeros((), dtype=torch.float64)  # (values,)

    def add(self, samples: torch.Tensor, row: torch.Tensor) -> None:
        """Take in samples, float64 ``(n, values)``, and the row of each, int64 ``(n,)``."""
        empty = torch.zeros(len(self._counts), samples.shape[1], dtype=torch.float64)
        self._sums = self._sums + empty.index_add(0, row, samples)
        self._squares = self._squares + samples.square().sum(dim=0)
        self._counts = self._counts + torch.bincount(row, minlength=len(self._counts))

    @property
    def mean(self) -> torch.Tensor:
        """Mean of the means of the rows that were dealt, ``(values,)``."""
        dealt = self._counts > 0
        return (self._sums[dealt] / self._counts[dealt, None]).mean(dim=0)

    @property
    def error(self) -> torch.Tensor:
        """Standard error of the mean, ``(values,)``; of 1 sample, its distance from 0."""
        dealt = self._counts > 0
        counts, sums = self._counts[dealt], self._sums[dealt]
        total, more = float(counts.sum()), float((counts - 1).sum())
        if total < 2:
            return self.mean.abs()
        if more < _LEAST:
            apart = self._squares - sums.sum(dim=0).square() / total
            return (apart.clamp(min=0) / (total - 1) / total).sqrt()
        within = self._squares - (sums.square() / counts[:, None]).sum(dim=0)
        return (within.clamp(min=0) / more * (1 / counts).sum()).sqrt() / len(counts)
