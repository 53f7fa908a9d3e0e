"""Mean square of the loss's slope at the head's gate (theis2018faster)."""

from __future__ import annotations

import numpy as np

from engine.heads.families.gradients import GradientMetric


class Fisher(GradientMetric):
    """E (∂ cross-entropy / ∂ gate)² at gate 1."""

    name = "fisher"
    title = "Fisher information"
    summary = "Like the gradient, with slopes squared: few steep pictures outweigh many flat ones."
    unit = "mean square of ∂ cross-entropy / ∂ gate (nats²)"
    paper = "theis2018faster"
    caveat = "A slope, not a step. Of the labels at hand, not of labels drawn from the model."

    def of_slopes(self, slopes: np.ndarray) -> np.ndarray:
        """Return their square."""
        return slopes**2
