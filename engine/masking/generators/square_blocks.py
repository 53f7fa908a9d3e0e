"""Square blocks of cells (xie2022simmim)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.masking.generators.generator import Generator, Wanted
from engine.masking.generators.ranking import hide_lowest, uniform_noise
from engine.parameters import Parameter, Value


class SquareBlocks(Generator):
    """Aligned blocks of cells are hidden whole, in an order that is drawn.

    The last block is cut, its cells drawn, so that the count is exact (ours; the paper rounds up
    to whole blocks). At the edges of a grid that the blocks do not divide they are smaller.
    """

    name = "simmim"
    title = "Square blocks"
    summary = "Hides whole squares of cells at random, as SimMIM does."
    parameters = (
        Parameter(
            "block", "Block", "choice", "2", "Cells along each side of a block.",
            choices=("1", "2", "4"),
        ),
    )  # fmt: skip
    paper = "xie2022simmim"
    caveat = "The last block is hidden in part, so that exactly as much is hidden as was asked."
    paper_hidden = 0.6

    def keep(self, wanted: Wanted, parameters: Mapping[str, Value]) -> np.ndarray:
        """Return masks, bool ``(count, rows, columns)``."""
        side = int(parameters["block"])
        rows, columns = (-(-length // side) for length in wanted.grid)
        blocks = Wanted((rows, columns), 0, wanted.count, wanted.seed)
        drawn = uniform_noise(blocks).repeat(side, axis=1).repeat(side, axis=2)
        cut = drawn[:, : wanted.grid[0], : wanted.grid[1]]  # (count, rows, columns) of cells
        return hide_lowest(wanted, cut, uniform_noise(wanted, source=1))
