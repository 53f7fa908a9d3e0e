"""How long a masked picture takes on this machine, tried out before the work."""

from __future__ import annotations

import time

import numpy as np

from engine.interactions.data import Data

_TRIALS = 3


def seconds_each(data: Data) -> float:
    """Return the seconds that one picture takes, in chunks as the work has them.

    A few masked models of no meaning are asked; the fastest of three trials is told.
    """
    world = data.bare(1)
    count = max(1, world.chunks.size // world.cost_of_loss)
    took = []
    for trial in range(_TRIALS):
        masks = np.full((count, world.features), 1 + 1e-3 * trial)
        masks[:, 0] += 1e-3 * np.arange(count)  # none is known already
        started = time.perf_counter()
        world.losses(masks)
        took.append(time.perf_counter() - started)
    return min(took) / (count * world.cost_of_loss)
