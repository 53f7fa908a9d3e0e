"""Uniform masks (he2022masked)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.execution.draws import generator
from engine.masking.generators.generator import Generator, Wanted
from engine.parameters import Value


class Uniform(Generator):
    """Each cell as likely as any other: the smallest of independent noise are hidden."""

    name = "uniform"
    title = "Uniform"
    summary = "Hides single cells at random, each as likely as any other."
    paper = "he2022masked"

    def keep(self, wanted: Wanted, parameters: Mapping[str, Value]) -> np.ndarray:
        """Return masks, bool ``(count, rows, columns)``."""
        noise = np.stack(
            [generator(wanted.seed, index).random(wanted.cells) for index in range(wanted.count)]
        )
        keep = noise.argsort(axis=1).argsort(axis=1) >= wanted.hide
        return np.asarray(keep.reshape(wanted.count, *wanted.grid))
