"""A saliency map as a mask: insertion and deletion (petsiuk2018rise)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.masking.generators.generator import Generator, Wanted
from engine.masking.generators.ranking import hide_lowest, mean_of_heads
from engine.parameters import Parameter, Value


class BySaliency(Generator):
    """The cells with the highest scores are hidden (deletion), or those with the lowest."""

    name = "saliency"
    title = "By saliency"
    summary = "Hides what a map calls most important, or everything else."
    parameters = (
        Parameter(
            "hide", "Hide", "choice", "top",
            "The top of the map (deletion), or the bottom, so that the top stays (insertion).",
            choices=("top", "bottom"),
        ),
    )  # fmt: skip
    paper = "petsiuk2018rise"
    caveat = "Nothing is drawn: every mask is the same. Of equal scores the first goes first."
    guide = "scores"
    usual_guide = "saliency"
    drawn = False

    def keep(self, wanted: Wanted, parameters: Mapping[str, Value]) -> np.ndarray:
        """Return masks, bool ``(count, rows, columns)``."""
        scores = mean_of_heads(wanted.needed_guide)
        return hide_lowest(wanted, -scores if parameters["hide"] == "top" else scores)
