"""Random draws, one source for each sample."""

from __future__ import annotations

import numpy as np


def generator(seed: int, index: int, *more: int) -> np.random.Generator:
    """Return the source of randomness of one sample: the same in whatever chunk it is drawn.

    Args:
        seed, index: of the draw, and of the sample.
        *more: numbers of further sources of the same sample, apart from the first.
    """
    return np.random.default_rng([seed % 2**64, index, *more])
