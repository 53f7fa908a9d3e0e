"""The Shapley kernel: which coalitions to try, and values from their scores by least squares.

Coalitions are tried in pairs with their complements (covert2021improving). Of a pair only half the
difference of the two scores matters: with z the members (1 or 0) and values φ that add up to the
score's difference, it is fitted by (z − ½) · φ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import comb

import torch

from engine.execution.draws import generator


@dataclass(frozen=True)
class Layers:
    """How pairs of coalitions are tried, by the size of the smaller of the two.

    Attributes:
        whole: sizes of which every pair is tried.
        drawn: sizes from which pairs are drawn.
        draws: how many.
    """

    whole: tuple[int, ...]
    drawn: tuple[int, ...]
    draws: int


def share_out(players: int, pairs: int) -> Layers:
    """Spread a number of pairs over the sizes, as the Shapley kernel weighs these.

    A size is tried as a whole while drawing would try it as often as it has pairs; size 1 is in
    any case, so that every player is met alone. ``pairs`` must be enough for that.
    """
    sizes = list(range(1, players // 2 + 1))
    left = pairs
    for place, size in enumerate(sizes):
        weights = [_weight(players, other) for other in sizes[place:]]
        count = _count(players, size)
        if size > 1 and left * weights[0] / sum(weights) < count:
            return Layers(tuple(sizes[:place]), tuple(sizes[place:]), left)
        left -= count
    return Layers(tuple(sizes), (), 0)


def _weight(players: int, size: int) -> float:
    """Return what the kernel gives to all coalitions of a size and their complements."""
    return _twice(players, size) / (size * (players - size))


def _count(players: int, size: int) -> int:
    return comb(players, size) * _twice(players, size) // 2


def _twice(players: int, size: int) -> int:
    """Return 2, or 1 where the complements are of the same size."""
    return 1 if 2 * size == players else 2


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of coalitions.

    Attributes:
        keep: one of each, bool ``(n, players)``; the other is its complement.
        weights: by the kernel, float64 ``(n,)``.
    """

    keep: torch.Tensor
    weights: torch.Tensor


@lru_cache(maxsize=8)  # explaining many rows asks for the same again and again
def whole_pairs(players: int, sizes: tuple[int, ...]) -> Pairs:
    """Return every pair of some sizes."""
    members, weights = [], []
    for size in sizes:
        count = _count(players, size)
        # Where both of a pair are of this size, the first half holds one of each.
        members += list(combinations(range(players), size))[:count]
        weights += [_weight(players, size) / count] * count
    keep = torch.zeros(len(members), players, dtype=torch.bool)
    places = [(index, player) for index, some in enumerate(members) for player in some]
    keep[tuple(torch.tensor(places, dtype=torch.int64).reshape(-1, 2).T)] = True
    return Pairs(keep, torch.tensor(weights, dtype=torch.float64))


def drawn_pairs(players: int, layers: Layers, seed: int, start: int, stop: int) -> Pairs:
    """Return the drawn pairs ``[start, stop)``; all draws together weigh what their sizes do."""
    weights = torch.tensor([_weight(players, size) for size in layers.drawn], dtype=torch.float64)
    chances = (weights / weights.sum()).numpy()
    keep = torch.zeros(stop - start, players, dtype=torch.bool)
    for index in range(start, stop):
        draw = generator(seed, index)
        size = draw.choice(layers.drawn, p=chances)
        keep[index - start, draw.choice(players, size, replace=False)] = True
    return Pairs(keep, (weights.sum() / layers.draws).repeat(stop - start))


def fit(
    pairs: Pairs, halves: torch.Tensor, difference: float, drawn: int
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Fit values by weighted least squares, such that they add up to the difference.

    Args:
        pairs: the drawn ones at the end.
        halves: half the difference of each pair's scores, float64 ``(n,)``.
        difference: score(x) − mean score of the baselines.
        drawn: how many were drawn.

    Returns:
        Values and, if any were drawn, their standard errors, float64 ``(players,)``: those of a
        weighted least-squares fit whose residuals differ from pair to pair.
    """
    players = pairs.keep.shape[1]
    signs = pairs.keep.double() - 0.5  # (n, players)
    even = torch.full((players,), difference / players, dtype=torch.float64)
    weighted = signs * pairs.weights[:, None]
    # Only what leaves the sum as it is may move: off all directions but that of equal values.
    free = torch.eye(players, dtype=torch.float64) - 1 / players
    inverse = torch.linalg.pinv(free @ (signs.T @ weighted) @ free, hermitian=True)
    values = even + inverse @ (weighted.T @ (halves - signs @ even))
    if not drawn:
        return values, None
    if drawn == 1:
        return values, values.abs()
    residuals = (halves - signs @ values)[-drawn:, None]
    moved = (weighted[-drawn:] * residuals) @ inverse  # what each draw moved, (drawn, players)
    return values, moved.std(dim=0) * drawn**0.5
