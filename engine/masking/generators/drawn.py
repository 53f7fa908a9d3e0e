"""A mask that the user has drawn."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.masking.generators.generator import Generator, Wanted
from engine.parameters import Value


class Drawn(Generator):
    """The user's own box, lasso or brush, as it is; the share asked for plays no part."""

    name = "drawn"
    title = "Drawn"
    summary = "Hides what you draw."
    caveat = "Hides what was drawn, whatever share is asked for."
    guide = "drawn"
    exact = False
    drawn = False

    def keep(self, wanted: Wanted, parameters: Mapping[str, Value]) -> np.ndarray:
        """Return masks, bool ``(count, rows, columns)``."""
        return np.repeat(wanted.needed_guide[None], wanted.count, axis=0)
