"""Shapley values by sampling orders (castro2009polynomial, strumbelj2014explaining)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from engine.attribution.baselines import Ends, find_baselines, score_ends
from engine.attribution.coalitions import Game
from engine.attribution.dealing import Dealt, deal
from engine.attribution.method import Evidence, Method, Run
from engine.attribution.rows import column_count
from engine.attribution.sampling import sampled
from engine.execution.cost import Cost
from engine.execution.draws import generator
from engine.models.loaded import LoadedModel
from engine.parameters import Parameter, Value


class ShapleySampling(Method):
    """What a column adds to the score when it joins, over random orders; in units of the score.

    For each order a row of the background is dealt, whose columns become those of x one by
    one, in this order and in the reverse one (mitchell2022sampling). What the columns add in
    one order adds up to score(x) − score(row).
    """

    name = "shapley-sampling"
    title = "Shapley Sampling"
    summary = "Lets the columns join one by one, in many random orders, and sees what each adds."
    families = frozenset({"tabular"})
    parameters = (
        Parameter(
            "permutations",
            "Permutations",
            "int",
            1000,
            "Random orders in which the columns join; each is also gone through backwards.",
            low=2,
            high=100_000,
        ),
    )
    paper = "castro2009polynomial"
    caveat = "Puts columns of different rows together, also where no such row could be."
    takes_background = True

    def cost(self, model: LoadedModel, parameters: Mapping[str, Value], rows: int = 0) -> Cost:
        """One pass for each column but the last, in both directions; and one for each end."""
        steps = 2 * (column_count(model.spec) - 1)
        return Cost(int(parameters["permutations"]) * steps + (rows or 1) + 1)

    def attribute(self, run: Run) -> Evidence:
        """Return values per column, with their standard errors; their sum is checked."""
        baselines = find_baselines(run)
        game = Game.of(run, baselines.rows)
        ends = score_ends(run, baselines.rows)
        order = deal(run.seed, len(baselines.rows))
        dealt = Dealt(len(order))

        def work(start: int, stop: int) -> None:
            row = order[torch.arange(start, stop) % len(order)]  # (n,)
            shares = _shares(game, ends, row, start)  # (n, players)
            dealt.add(torch.cat([shares, shares.sum(dim=1, keepdim=True)], dim=1), row)

        def so_far() -> Evidence:
            mean, error = dealt.mean, dealt.error  # (players + 1,), their sum at the end
            told = ends.told(float(mean[-1]), float(error[-1]))
            values, spread = (game.per_column(one[:-1]) for one in (mean, error))
            return Evidence(values, spread, {**told, "background": baselines.told})

        return sampled(run, int(run.parameters["permutations"]), work, so_far)


def _shares(game: Game, ends: Ends, row: torch.Tensor, start: int) -> torch.Tensor:
    """Return what each player adds in the orders from ``start`` on, ``(n, players)``.

    Mean of both directions: with d(k) the score with the first k of an order less the score with
    all others, the player in place k adds (d(k + 1) − d(k)) / 2.

    Args:
        game, ends: what is played, and the scores at its ends.
        row: the row of each order, int64 ``(n,)``.
        start: number of the first order.
    """
    players, count = game.players, len(row)
    draws = [generator(game.run.seed, start + index) for index in range(count)]
    place = torch.from_numpy(np.stack([draw.permutation(players) for draw in draws]))
    steps = max(0, players - 1)

    def keep(first: int, last: int) -> torch.Tensor:
        # For each order: the first 1, 2 … players, then the others of each of these.
        index = torch.arange(first, last)
        within = index % (2 * steps)
        stays = place[index // (2 * steps)] <= (within % steps)[:, None]
        return stays ^ (within >= steps)[:, None]

    scores = game.scores(count * 2 * steps, keep, row.repeat_interleave(2 * steps))
    forward, backward = scores.reshape(count, 2, steps).unbind(dim=1)  # each (n, steps)
    whole = (ends.at_x - ends.at_rows[row])[:, None]  # (n, 1)
    d = torch.cat([-whole, forward - backward, whole], dim=1)  # (n, players + 1)
    return d.diff(dim=1)[:, :players].gather(1, place) / 2
