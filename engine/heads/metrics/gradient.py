"""Mean size of the loss's slope at the head's gate (michel2019sixteen)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.heads.ablation import Place
from engine.heads.families.gradients import GradientMetric
from engine.heads.running import Rows
from engine.parameters import Parameter, Value


class Gradient(GradientMetric):
    """E |∂ cross-entropy / ∂ gate| at gate 1."""

    name = "gradient"
    title = "Gradient at the gate"
    summary = "How steeply the loss reacts to each head, all heads in one pass there and back."
    unit = "mean size of ∂ cross-entropy / ∂ gate (nats)"
    paper = "michel2019sixteen"
    caveat = (
        "A slope, not a step: it foretells what switching a head off does only as far as the "
        "loss is straight. Michel et al. scale each layer to length 1; that lowers agreement "
        "with the exact loss here and is off by default."
    )
    parameters = (
        Parameter(
            "normalise",
            "Scale layers",
            "flag",
            False,
            "Divide each layer by its root of summed squares, so that layers count alike.",
        ),
    )

    def of_slopes(self, slopes: np.ndarray) -> np.ndarray:
        """Return their size."""
        return np.abs(slopes)

    def combined(
        self, rows: Rows, places: Sequence[Place], parameters: Mapping[str, Value]
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return mean and error; scaled, the error is that of the mean at a fixed scale."""
        mean, error = super().combined(rows, places, parameters)
        if not parameters["normalise"]:
            return mean, error
        layers = np.array([layer for layer, _ in places])
        lengths = np.sqrt(np.bincount(layers, mean**2))[layers]
        scale = np.where(lengths > 0, lengths, 1.0)
        return mean / scale, None if error is None else error / scale
