"""Uniform masks (he2022masked)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.masking.generators.generator import Generator, Wanted
from engine.masking.generators.ranking import hide_lowest, uniform_noise
from engine.parameters import Value


class Uniform(Generator):
    """Each cell as likely as any other: the lowest of independent noise are hidden."""

    name = "uniform"
    title = "Uniform"
    summary = "Hides single cells at random, each as likely as any other."
    paper = "he2022masked"
    paper_hidden = 0.75

    def keep(self, wanted: Wanted, parameters: Mapping[str, Value]) -> np.ndarray:
        """Return masks, bool ``(count, rows, columns)``."""
        return hide_lowest(wanted, uniform_noise(wanted))
