"""Hard patches (wang2023hard)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.masking.generators.generator import Generator, Wanted
from engine.masking.generators.ranking import hide_lowest, mean_of_heads, uniform_noise
from engine.parameters import Parameter, Value


class HardPatches(Generator):
    """A part of what is hidden are the hardest cells, the rest is drawn among the others.

    With α the guided part, round(α · n) of n hidden cells are those of the highest difficulty.
    """

    name = "hard-patches"
    title = "Hard patches"
    summary = "Hides what is hardest to guess from its surroundings, and some at random."
    parameters = (
        Parameter(
            "guided", "Guided", "float", 0.5,
            "Part of the hidden cells that difficulty picks (α); the others are drawn.",
            low=0, high=0.5,
        ),
    )  # fmt: skip
    paper = "wang2023hard"
    caveat = (
        "Difficulty is the loss of a masked auto-encoder where one is given; otherwise how far a "
        "patch is from a blend of its borders (ours)."
    )
    guide = "scores"
    usual_guide = "difficulty"
    paper_hidden = 0.75

    def keep(self, wanted: Wanted, parameters: Mapping[str, Value]) -> np.ndarray:
        """Return masks, bool ``(count, rows, columns)``."""
        drawn = uniform_noise(wanted)
        hardest = round(float(parameters["guided"]) * wanted.hide)
        difficulty = np.broadcast_to(mean_of_heads(wanted.needed_guide), drawn.shape)
        flat, noise = (each.reshape(wanted.count, -1) for each in (difficulty, drawn))
        order = np.lexsort((noise, -flat), axis=1)  # the hardest first
        values = noise.copy()
        np.put_along_axis(values, order[:, :hardest], -1.0, axis=1)
        return hide_lowest(wanted, values.reshape(drawn.shape))
