"""Masks with noise on what stays: shares from a Beta distribution, or a step of diffusion."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.execution.draws import generator
from engine.masking.generators.generator import Generator, Wanted
from engine.masking.generators.ranking import hide_lowest, uniform_noise
from engine.parameters import Parameter, Value


class BetaNoise(Generator):
    """Each cell gets an amount of noise, drawn from Beta(a, b); the noisiest are hidden.

    The amount is the noise's part of the variance. Hiding, rather than drowning, the noisiest
    keeps the mask a mask, with an exact count (our definition).
    """

    name = "beta-noise"
    title = "Beta noise"
    summary = "Puts another amount of noise on every cell, and hides the noisiest."
    parameters = (
        Parameter(
            "a", "a", "float", 1.0, "First of Beta(a, b): more, more noise.", low=0.1, high=10
        ),
        Parameter(
            "b", "b", "float", 1.0, "Second of Beta(a, b): more, less noise.", low=0.1, high=10
        ),
    )
    caveat = "Our definition. What stays is noisy as well, so the answer tells of both."

    def keep(self, wanted: Wanted, parameters: Mapping[str, Value]) -> np.ndarray:
        """Return masks, bool ``(count, rows, columns)``."""
        return hide_lowest(wanted, -self.noise(wanted, parameters))

    def noise(self, wanted: Wanted, parameters: Mapping[str, Value]) -> np.ndarray:
        """As in ``Generator``."""
        a, b = float(parameters["a"]), float(parameters["b"])
        drawn = [generator(wanted.seed, i).beta(a, b, wanted.grid) for i in range(wanted.count)]
        return np.stack(drawn)


class NoiseAndMask(Generator):
    """Uniform masks, with the noise of one step of diffusion on all that stays."""

    name = "noise-and-mask"
    title = "Noise and mask"
    summary = "Hides single cells at random, and puts noise on the others."
    parameters = (
        Parameter(
            "noise", "Noise", "float", 0.5,
            "The noise's part of the variance of what stays (1 − ᾱ of a step of diffusion).",
            low=0, high=1,
        ),
    )  # fmt: skip
    paper = "hansenestruch2024unified"
    caveat = "What stays is noisy as well, so the answer tells of both."

    def keep(self, wanted: Wanted, parameters: Mapping[str, Value]) -> np.ndarray:
        """Return masks, bool ``(count, rows, columns)``."""
        return hide_lowest(wanted, uniform_noise(wanted))

    def noise(self, wanted: Wanted, parameters: Mapping[str, Value]) -> np.ndarray:
        """As in ``Generator``."""
        return np.full((wanted.count, *wanted.grid), float(parameters["noise"]))
