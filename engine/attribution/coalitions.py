"""Columns of a row as players: those of a coalition stay, the others come from other rows."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from engine.attribution.method import Run
from engine.attribution.rows import column_count
from engine.masking.fills.painted import Values
from engine.masking.predict import KeepRange, masked_outputs
from engine.models.table_specs import TableSpec


@dataclass(frozen=True, eq=False)
class Game:
    """A row, and the rows that stand in for what is hidden of it.

    Columns in which none of these rows differs from it are no players: they change nothing.

    Attributes:
        run: what is computed; its x is the row.
        rows: prepared, ``(rows, …)``.
        moving: the columns that are players, int64 ``(players,)``.
    """

    run: Run
    rows: torch.Tensor
    moving: torch.Tensor

    @staticmethod
    def of(run: Run, rows: torch.Tensor) -> Game:
        """Find the players: the columns in which any of the rows ``(rows, …)`` differs from x."""
        apart = (rows != run.x) & ~(rows.isnan() & run.x.isnan())
        features = apart.any(dim=0).flatten().long().cpu()  # (features,)
        return Game(run, rows, run.folded(features).nonzero()[:, 0])

    @property
    def players(self) -> int:
        """How many columns play."""
        return len(self.moving)

    def scores(self, count: int, keep: KeepRange, row: torch.Tensor) -> torch.Tensor:
        """Score rows put together.

        Args:
            count: how many.
            keep: returns coalitions ``[start, stop)``, bool ``(stop - start, players)``.
            row: which of the rows stands in for the others, int64 ``(count,)``.

        Returns:
            float64 ``(count,)``.
        """
        if not count:
            return torch.zeros(0, dtype=torch.float64)
        own = row.to(self.rows.device)
        outputs = masked_outputs(
            self.run.passes,
            self.run.chunks,
            self.run.x,
            count,
            lambda start, stop: self._features(keep(start, stop)),
            lambda start, stop: Values(self.rows[own[start:stop]]),
        )
        return self.run.readout(outputs).cpu().double()

    def scores_of_all_rows(self, keep: torch.Tensor) -> torch.Tensor:
        """Score each coalition with each of the rows: bool ``(n, players)`` → ``(n, rows)``."""
        n, rows = len(keep), len(self.rows)
        coalition = torch.arange(n).repeat_interleave(rows)
        found = self.scores(
            n * rows,
            lambda start, stop: keep[coalition[start:stop]],
            torch.arange(rows).repeat(n),
        )
        return found.reshape(n, rows)

    def per_column(self, values: torch.Tensor) -> torch.Tensor:
        """Put the players' values in their columns, 0 in the others: ``(players,)`` → all."""
        spec = self.run.model.spec
        found = values.new_zeros(column_count(spec)).index_put((self.moving,), values)
        return found if isinstance(spec, TableSpec) else found.reshape(spec.shape)

    def _features(self, keep: torch.Tensor) -> torch.Tensor:
        """Coalitions ``(n, players)`` → masks of the prepared input ``(n, …)``."""
        spec = self.run.model.spec
        columns = torch.ones(len(keep), column_count(spec), dtype=torch.bool)
        columns[:, self.moving] = keep
        features = spec.spread(columns) if isinstance(spec, TableSpec) else columns
        return features.reshape(-1, *self.run.x.shape[1:])
