"""What an input is compared with, and the difference that additive methods share out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from engine.attribution.method import Run
from engine.masking.fills.registry import find_replacement


@dataclass(frozen=True, eq=False)
class Baselines:
    """Inputs that count as holding no evidence.

    Attributes:
        rows: prepared, ``(rows, …)``.
        told: how many they are, of how many, or which fills; for the manifest.
    """

    rows: torch.Tensor
    told: dict[str, Any]


def find_baselines(run: Run, fills: Sequence[str] = ("mean",)) -> Baselines:
    """Return the rows of the background; where there is none, what some fills put there.

    Args:
        run: what is computed.
        fills: names of the fills.
    """
    if run.background is not None:
        rows = run.background.to(run.x)
        return Baselines(rows, {"rows": len(rows), "of": run.background_size, "fills": []})
    rows = torch.cat([find_replacement(name).values(run.model, run.x) for name in fills])
    return Baselines(rows, {"rows": len(rows), "of": len(rows), "fills": list(fills)})


@dataclass(frozen=True, eq=False)
class Ends:
    """Scores at the ends of what is shared out.

    Attributes:
        at_x: score of the input.
        at_rows: score of each baseline, float64 ``(rows,)``.
    """

    at_x: float
    at_rows: torch.Tensor

    @property
    def base(self) -> float:
        """Mean score of the baselines."""
        return float(self.at_rows.mean())

    @property
    def difference(self) -> float:
        """What the values of an additive method add up to: score(x) − mean score(baselines)."""
        return self.at_x - self.base

    def told(self, total: float, error: float | None = None) -> dict[str, Any]:
        """Hold the sum of the values against what they share out; for the manifest.

        Args:
            total: sum of all values.
            error: its standard error, where something is drawn.

        Returns:
            base: mean score of the baselines; completeness: sum, difference, gap (sum −
            difference) and, if there is one, error. All in units of the score.
        """
        told = {"sum": total, "difference": self.difference, "gap": total - self.difference}
        return {
            "base": self.base,
            "completeness": told if error is None else {**told, "error": error},
        }


def score_ends(run: Run, rows: torch.Tensor) -> Ends:
    """Score the input and its baselines ``(rows, …)``: one pass for each."""
    both = torch.cat([run.x, rows])  # (1 + rows, …)

    def scores(start: int, stop: int) -> torch.Tensor:
        return run.score(both[start:stop]).cpu().double()

    with torch.no_grad():
        found = torch.cat(run.chunks.over(len(both), run.passes, scores))
    return Ends(float(found[0]), found[1:])
