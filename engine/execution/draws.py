"""Random draws, one source for each sample."""

from __future__ import annotations

import numpy as np


def generator(seed: int, index: int) -> np.random.Generator:
    """Return the source of randomness of one sample: the same in whatever chunk it is drawn."""
    return np.random.default_rng([seed % 2**64, index])
