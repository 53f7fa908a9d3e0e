"""KernelSHAP: Shapley values by weighted least squares (lundberg2017unified)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch

from engine.attribution.baselines import find_baselines, score_ends
from engine.attribution.coalitions import Game
from engine.attribution.method import Evidence, Method, Run
from engine.attribution.rows import column_count
from engine.attribution.sampling import sampled
from engine.attribution.shapley_kernel import (
    Layers,
    Pairs,
    drawn_pairs,
    fit,
    share_out,
    whole_pairs,
)
from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from engine.parameters import Parameter, Value


class KernelShap(Method):
    """Each column's Shapley value, in units of the score.

    A coalition of columns is worth the mean score with its columns those of x and the others
    those of each row of the background. Where all coalitions fit into the number allowed, the
    values are exact; else those of sizes that fit are all tried and the others are drawn.
    """

    name = "kernel-shap"
    title = "KernelSHAP"
    summary = "Tries sets of columns against other rows, and shares the score out fairly."
    families = frozenset({"tabular"})
    parameters = (
        Parameter(
            "coalitions",
            "Coalitions",
            "int",
            2048,
            "Sets of columns that are tried; the values are exact if there are no more.",
            low=16,
            high=200_000,
        ),
    )
    paper = "lundberg2017unified"
    caveat = "Puts columns of different rows together, also where no such row could be."
    first_for = frozenset({"tabular"})
    takes_background = True

    def parameters_for(self, model: LoadedModel) -> tuple[Parameter, ...]:
        """No fewer coalitions than it takes to meet each column alone, and as many again."""
        (coalitions,) = self.parameters
        least = max(16, 4 * column_count(model.spec))
        default, high = max(2048, least), max(200_000, least)
        return (replace(coalitions, default=default, low=least, high=high),)

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """One pass for each coalition and row of the background; with all columns, only one."""
        tried = min(int(parameters["coalitions"]), 2 ** column_count(model.spec))
        return Cost((tried - 1) * (rows or 1) + 1)

    def attribute(self, run: Run) -> Evidence:
        """Return values per column and, if coalitions are drawn, their standard errors."""
        baselines = find_baselines(run)
        ends = score_ends(run, baselines.rows)
        game = Game.of(run, baselines.rows)
        tried = _Tried(game, int(run.parameters["coalitions"]), ends.difference)
        tried.all_of_the_whole_sizes()

        def so_far() -> Evidence:
            values, error = tried.fitted()
            told = {
                **ends.told(float(values.sum())),
                "background": baselines.told,
                "coalitions": tried.coalitions,
                "exact": not tried.layers.draws,
            }
            spread = None if error is None else game.per_column(error)
            return Evidence(game.per_column(values), spread, told)

        draws = tried.layers.draws
        return sampled(run, draws, tried.draw, so_far) if draws else so_far()


class _Tried:
    """The coalitions of a game that were tried, in pairs, with what came out."""

    def __init__(self, game: Game, coalitions: int, difference: float) -> None:
        self.game = game
        self.difference = difference
        # Two coalitions need not be tried: all columns and none, the ends.
        pairs = (min(coalitions, 2**game.players) - 2) // 2
        self.layers: Layers = share_out(game.players, pairs)
        self._pairs: list[Pairs] = []
        self._halves: list[torch.Tensor] = []
        self._drawn = 0

    @property
    def coalitions(self) -> int:
        """How many were tried, with all columns and none."""
        return 2 + 2 * sum(len(halves) for halves in self._halves)

    def all_of_the_whole_sizes(self) -> None:
        """Try every pair of the sizes that are tried as a whole."""
        pairs = whole_pairs(self.game.players, self.layers.whole)
        run = self.game.run
        found = run.chunks.over(
            len(pairs.keep), run.passes, lambda start, stop: self._half(pairs.keep[start:stop])
        )
        self._pairs.append(pairs)
        self._halves.append(torch.cat([torch.zeros(0, dtype=torch.float64), *found]))

    def draw(self, start: int, stop: int) -> None:
        """Try the drawn pairs ``[start, stop)``."""
        game = self.game
        pairs = drawn_pairs(game.players, self.layers, game.run.seed, start, stop)
        halves = self._half(pairs.keep)
        self._pairs.append(pairs)
        self._halves.append(halves)
        self._drawn += len(halves)

    def fitted(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the players' values and, if any were drawn, their standard errors."""
        if not self.game.players:
            return torch.zeros(0, dtype=torch.float64), None
        # All draws weigh what their sizes do, also while only some of them were tried.
        share = self.layers.draws / max(1, self._drawn)
        weights = [p.weights * (share if i else 1.0) for i, p in enumerate(self._pairs)]
        pairs = Pairs(torch.cat([p.keep for p in self._pairs]), torch.cat(weights))
        return fit(pairs, torch.cat(self._halves), self.difference, self._drawn)

    def _half(self, keep: torch.Tensor) -> torch.Tensor:
        """Return half the difference of each pair's worths, ``(n, players)`` → ``(n,)``."""
        worth = self.game.scores_of_all_rows(torch.cat([keep, ~keep])).mean(dim=1)
        mine, others = worth.chunk(2)
        return (mine - others) / 2
