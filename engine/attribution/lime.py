"""LIME: a linear model of the model, near one row (ribeiro2016why)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from engine.attribution.baselines import find_baselines, score_ends
from engine.attribution.coalitions import Game
from engine.attribution.method import Evidence, Method, Run
from engine.attribution.sampling import sampled
from engine.execution.cost import Cost
from engine.execution.draws import generator
from engine.models.loaded import LoadedModel
from engine.parameters import Parameter, Value


class Lime(Method):
    """Coefficients of a linear model of the score, by whether each column stays that of x.

    Each column stays with probability ½, else it becomes that of another row; the score is the
    mean over all rows of the background (our definition; the paper draws around what it changes).
    A sample with h columns changed weighs exp(−h / (2 (width² c))), as LIME has it, where c is
    how many columns differ from x somewhere in the background; in units of the score.
    """

    name = "lime"
    title = "LIME"
    summary = "Fits a linear model to the scores of rows like this one with some columns changed."
    families = frozenset({"tabular"})
    parameters = (
        Parameter(
            "samples",
            "Samples",
            "int",
            1000,
            "Rows that are put together, each with all rows of the background.",
            low=10,
            high=100_000,
        ),
        Parameter(
            "width",
            "Width",
            "float",
            0.75,
            "How far the kernel reaches, in roots of the number of columns.",
            low=0.05,
            high=10,
        ),
        Parameter(
            "ridge",
            "Ridge",
            "float",
            1.0,
            "How strongly coefficients are drawn towards 0.",
            low=0,
            high=10_000,
        ),
    )
    paper = "ribeiro2016why"
    caveat = "Only as good as its fit: look at R² before reading the values; they need not add up."
    takes_background = True

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """One pass for each sample and each row of the background, and one for each end."""
        return Cost(int(parameters["samples"]) * (rows or 1) + (rows or 1) + 1)

    def attribute(self, run: Run) -> Evidence:
        """Return values per column, with their standard errors, and how well they fit."""
        baselines = find_baselines(run)
        ends = score_ends(run, baselines.rows)
        game = Game.of(run, baselines.rows)
        kept: list[torch.Tensor] = []
        scores: list[torch.Tensor] = []

        def work(start: int, stop: int) -> None:
            keep = _drawn(game, start, stop)
            # The mean over all rows: a drawn one would add spread that no coefficient explains.
            scores.append(game.scores_of_all_rows(keep).mean(dim=1))
            kept.append(keep)

        def so_far() -> Evidence:
            line = _fit(run, torch.cat(kept), torch.cat(scores))
            total = float(line.values.sum())
            told = ends.told(total, line.error_of_sum)
            told["completeness"]["residual"] = ends.at_x - line.base - total
            told |= {"base": line.base, "fit": line.fit, "background": baselines.told}
            return Evidence(game.per_column(line.values), game.per_column(line.errors), told)

        return sampled(run, int(run.parameters["samples"]), work, so_far)


def _drawn(game: Game, start: int, stop: int) -> torch.Tensor:
    """Return what stays in the samples ``[start, stop)``, bool ``(n, players)``."""
    drawn = (generator(game.run.seed, index) for index in range(start, stop))
    return torch.from_numpy(np.stack([draw.random(game.players) < 0.5 for draw in drawn]))


@dataclass(frozen=True, eq=False)
class _Line:
    """A linear model: coefficients and their standard errors, intercept ("base") and R² ("fit")."""

    values: torch.Tensor
    errors: torch.Tensor
    error_of_sum: float
    base: float
    fit: float


def _fit(run: Run, keep: torch.Tensor, scores: torch.Tensor) -> _Line:
    """Fit by weighted ridge regression: bool ``(n, players)``, float64 ``(n,)``."""
    count, players = keep.shape
    reach = float(run.parameters["width"]) ** 2 * max(1, players)
    weights = torch.exp(-(~keep).sum(dim=1).double() / (2 * reach))  # (n,)
    weights = weights[:, None]
    design, scores = keep.double(), scores[:, None]
    middle, mean = ((weights * one).sum(dim=0) / weights.sum() for one in (design, scores))
    design, apart = design - middle, scores - mean
    ridge = float(run.parameters["ridge"]) * torch.eye(players, dtype=torch.float64)
    inverse = torch.linalg.pinv(design.T @ (weights * design) + ridge, hermitian=True)
    values = inverse @ (design.T @ (weights * apart))  # (players, 1)
    residuals = apart - design @ values
    moved = (weights * residuals * design) @ inverse  # what each sample moved, (n, players)
    freedom = count / max(1, count - players - 1)
    spread = (weights * apart.square()).sum()
    unexplained = (weights * residuals.square()).sum()
    flat = spread <= 1e-12 * weights.sum() * (1 + mean.square())
    return _Line(
        values=values[:, 0],
        errors=(freedom * moved.square().sum(dim=0)).sqrt(),
        error_of_sum=float((freedom * moved.sum(dim=1).square().sum()).sqrt()),
        base=float(mean - middle @ values),
        fit=1.0 if bool(flat) else float(1 - unexplained / spread),
    )
