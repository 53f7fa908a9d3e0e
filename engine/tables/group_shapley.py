"""Shapley values of groups of columns, over a background of rows."""

from __future__ import annotations

from math import factorial

import numpy as np
import torch

from engine.tables.measure import Run

EXACT_UP_TO = 10
_KEPT = 2**20  # scores that are kept before they are averaged over the background


def passes_for(groups: int, rows: int, background: int, permutations: int) -> int:
    """Return how many passes the values of some rows take."""
    if groups <= EXACT_UP_TO:
        return rows * 2**groups * background
    return rows * permutations * (groups + 1)


def exact(
    run: Run, features: torch.Tensor, background: torch.Tensor, group: np.ndarray
) -> np.ndarray:
    """Return the Shapley value of each group for each row, by trying every coalition.

    The worth of a coalition is the mean score over the background with the coalition's columns
    taken from the row.

    Args:
        run: the model, and the number that is explained.
        features: the rows, ``(n, features)``.
        background: ``(b, features)``.
        group: the group of each feature, ``(features,)``, from 0.

    Returns:
        float64 ``(n, groups)``; each row adds up to its score less the background's mean.
    """
    count = int(group.max()) + 1
    inside = (np.arange(2**count)[:, None] >> np.arange(count)) & 1 > 0  # (coalitions, groups)
    own = torch.from_numpy(inside[:, group]).to(features.device)  # (coalitions, features)
    at_once = max(1, _KEPT // (len(own) * len(background)))
    parts = [
        _worth(run, features[start : start + at_once], background, own)
        for start in range(0, len(features), at_once)
    ]
    return np.concatenate(parts) @ _weights(inside).T


def _worth(
    run: Run, features: torch.Tensor, background: torch.Tensor, own: torch.Tensor
) -> np.ndarray:
    """Return what each coalition is worth for each row, float64 ``(n, coalitions)``."""
    others = len(background)

    def batch(start: int, stop: int) -> torch.Tensor:
        index = torch.arange(start, stop, device=features.device)
        row, rest = index // (len(own) * others), index % (len(own) * others)
        return torch.where(own[rest // others], features[row], background[rest % others])

    scores = run.scores(len(features) * len(own) * others, batch)
    return np.asarray(scores.reshape(len(features), len(own), others).mean(axis=2))


def _weights(inside: np.ndarray) -> np.ndarray:
    """Return by what the worth of each coalition counts for each group, ``(groups, coalitions)``.

    A coalition of s of G groups counts for a member (s − 1)! (G − s)! / G!, and against a group
    that it lacks s! (G − s − 1)! / G!.
    """
    count = inside.shape[1]
    sizes = inside.sum(axis=1)
    joined = [
        factorial(s - 1) * factorial(count - s) / factorial(count) if s else 0.0 for s in sizes
    ]
    lacked = [
        factorial(s) * factorial(count - s - 1) / factorial(count) if s < count else 0.0
        for s in sizes
    ]
    return np.where(inside, np.array(joined)[:, None], -np.array(lacked)[:, None]).T


def sampled(
    run: Run,
    features: torch.Tensor,
    background: torch.Tensor,
    group: np.ndarray,
    permutations: int,
) -> np.ndarray:
    """The same, estimated: groups are taken over one by one in random orders.

    Each order goes from a row of the background, drawn as well, to the row explained.

    Returns:
        float64 ``(n, groups)``, the mean over the orders.
    """
    count, size = int(group.max()) + 1, len(features)
    draws = np.random.default_rng([run.seed % 2**64, count])
    orders = draws.permuted(np.tile(np.arange(count), (size * permutations, 1)), axis=1)
    chosen = torch.from_numpy(draws.integers(len(background), size=len(orders)))
    when = np.argsort(orders, axis=1)  # at which step each group is taken over
    steps, of_feature = torch.from_numpy(when), torch.from_numpy(group)

    def batch(start: int, stop: int) -> torch.Tensor:
        index = torch.arange(start, stop)
        order, step = index // (count + 1), index % (count + 1)
        own = (steps[order] < step[:, None])[:, of_feature].to(features.device)  # (k, features)
        rows = (order // permutations).to(features.device)
        return torch.where(own, features[rows], background[chosen[order].to(features.device)])

    scores = run.scores(len(orders) * (count + 1), batch).reshape(-1, count + 1)
    gains = np.diff(scores, axis=1)  # (orders, steps): what the group of that step added
    values = np.take_along_axis(gains, when, axis=1)  # (orders, groups)
    return values.reshape(size, permutations, count).mean(axis=1)
