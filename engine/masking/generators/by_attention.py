"""Masks that follow attention: keep by chance (xue2023stare), or by rank (tang2023multiple)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.masking.generators.generator import Generator, Wanted
from engine.masking.generators.ranking import hide_lowest, mean_of_heads, uniform_noise
from engine.parameters import Parameter, Value


class SampledByAttention(Generator):
    """Cells are drawn one after the other to stay, without putting back, ∝ attention.

    With u uniform in (0, 1) for each cell of weight w, the largest log(u) / w stay: the same
    distribution in one step (efraimidis2006weighted). Scores below 0 count as 0, and cells of
    weight 0 stay only when no others are left.
    """

    name = "attention-sampled"
    title = "Sampled by attention"
    summary = "What gets more attention is more likely to stay."
    paper = "xue2023stare"
    caveat = "Heads are averaged. Where attention is even, this is the same as uniform."
    guide = "scores"
    usual_guide = "attention"
    paper_hidden = 0.7

    def keep(self, wanted: Wanted, parameters: Mapping[str, Value]) -> np.ndarray:
        """Return masks, bool ``(count, rows, columns)``."""
        weights = np.maximum(mean_of_heads(wanted.needed_guide), 0)
        drawn = uniform_noise(wanted)
        logs = np.log1p(-drawn)  # of 1 − u, which is never 0
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            keys = np.where(weights > 0, logs / weights, -np.inf)
        return hide_lowest(wanted, keys, drawn)


class RankedByAttention(Generator):
    """The cells that get the most attention are hidden, or those that get the least.

    Several heads are averaged, or vote: each for as many cells as are to be hidden, its own most
    (or least) attended; the cells with the most votes are hidden, and among equals those first
    that come first by the average (ours).
    """

    name = "attention-ranked"
    title = "Ranked by attention"
    summary = "Hides what gets the most attention, or the least."
    parameters = (
        Parameter(
            "hide", "Hide", "choice", "top", "The most attended cells, or the least.",
            choices=("top", "bottom"),
        ),
        Parameter(
            "heads", "Heads", "choice", "mean", "How several heads become one order.",
            choices=("mean", "vote"),
        ),
    )  # fmt: skip
    paper = "tang2023multiple"
    caveat = "Nothing is drawn: every mask is the same."
    guide = "scores"
    usual_guide = "attention"
    drawn = False

    def keep(self, wanted: Wanted, parameters: Mapping[str, Value]) -> np.ndarray:
        """Return masks, bool ``(count, rows, columns)``."""
        sign = -1 if parameters["hide"] == "top" else 1
        scores = sign * wanted.needed_guide  # the lowest are hidden
        mean = mean_of_heads(scores)
        if parameters["heads"] == "mean":
            return hide_lowest(wanted, mean)
        heads = scores.reshape(-1, *wanted.grid)
        each = Wanted(wanted.grid, wanted.hidden, len(heads))
        votes = (~hide_lowest(each, heads)).sum(axis=0)
        alike = np.broadcast_to(mean, (wanted.count, *wanted.grid))
        return hide_lowest(wanted, -votes, alike)
