"""Masks of a regular shape: a grid, or one visible square (he2022masked)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.execution.draws import generator
from engine.masking.generators.generator import Generator, Wanted
from engine.parameters import Value

# In which order the places of each 2 × 2 are left visible: a half is a chessboard.
_ORDER = np.array([[0, 2], [3, 1]])


class Grid(Generator):
    """The same places of each 2 × 2 cells are hidden: three of four in the paper.

    Of each 2 × 2 the nearest number to what is asked is hidden, so shares go by quarters (three
    of four is published, the others are ours; two make a chessboard). Where the pattern begins is
    drawn. In a grid with an odd side the share is a little off.
    """

    name = "grid"
    title = "Grid"
    summary = "Hides the same places of every 2 × 2 cells: a regular pattern."
    paper = "he2022masked"
    caveat = "Reaches only quarters: the share hidden is the nearest one, and is told."
    exact = False
    paper_hidden = 0.75

    def keep(self, wanted: Wanted, parameters: Mapping[str, Value]) -> np.ndarray:
        """Return masks, bool ``(count, rows, columns)``."""
        visible = 4 - round(4 * wanted.hidden)
        down, across = _starts(wanted, (2, 2))
        rows = (np.arange(wanted.grid[0]) + down[:, None]) % 2  # (count, rows)
        columns = (np.arange(wanted.grid[1]) + across[:, None]) % 2
        return np.asarray(_ORDER[rows[:, :, None], columns[:, None, :]] < visible)


class VisibleSquare(Generator):
    """All is hidden but one square, of side √(cells · (1 − hidden)), rounded; its place is drawn.

    Where the grid is too narrow for the square, a rectangle of its full width and about the same
    area stays (ours).
    """

    name = "block"
    title = "One visible square"
    summary = "Hides everything but one square."
    paper = "he2022masked"
    caveat = "A square has few sizes: the share hidden is the nearest one, and is told."
    exact = False

    def keep(self, wanted: Wanted, parameters: Mapping[str, Value]) -> np.ndarray:
        """Return masks, bool ``(count, rows, columns)``."""
        sides = _visible_sides(wanted)
        room = tuple(length - side + 1 for length, side in zip(wanted.grid, sides, strict=True))
        starts = _starts(wanted, room)
        down, across = (
            (np.arange(length) >= start[:, None]) & (np.arange(length) < start[:, None] + side)
            for length, start, side in zip(wanted.grid, starts, sides, strict=True)
        )
        return np.asarray(down[:, :, None] & across[:, None, :])


def _visible_sides(wanted: Wanted) -> tuple[int, int]:
    stay = wanted.cells - wanted.hide
    side = round(stay**0.5)
    rows, columns = (min(side, length) for length in wanted.grid)
    if rows == wanted.grid[0] < wanted.grid[1]:
        columns = min(round(stay / rows), wanted.grid[1])
    elif columns == wanted.grid[1] < wanted.grid[0]:
        rows = min(round(stay / columns), wanted.grid[0])
    return rows, columns


def _starts(wanted: Wanted, room: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Draw a place in each direction, of so many; each int64 ``(count,)``."""
    drawn = [generator(wanted.seed, i).integers(room) for i in range(wanted.count)]
    return tuple(np.stack(drawn).T)
