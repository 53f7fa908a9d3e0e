"""What a mask generator is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from engine.errors import ParameterError
from engine.parameters import Parameter, Value

# What guides a generator besides chance: nothing, a map of scores (a saliency map, the class
# token's attention, difficulty), regions numbered from 0, or the user's own drawing.
Guide = Literal["", "scores", "regions", "drawn"]


@dataclass(frozen=True, eq=False)
class Wanted:
    """What masks are wanted.

    Attributes:
        grid: rows and columns of cells.
        hidden: share of the cells to hide, 0 … 1.
        count: how many masks.
        seed: of all that is drawn; mask i is the same however many are wanted.
        guide: what guides the generator, on the grid: float64 ``(rows, columns)`` or
            ``(heads, rows, columns)`` for scores, int64 for regions, bool (True = stays) for a
            drawing; None where nothing does.
    """

    grid: tuple[int, int]
    hidden: float
    count: int = 1
    seed: int = 0
    guide: np.ndarray | None = None

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.grid[0] * self.grid[1]

    @property
    def hide(self) -> int:
        """Number of cells to hide, rounded once."""
        return round(self.hidden * self.cells)

    @property
    def needed_guide(self) -> np.ndarray:
        """The guide of a generator that cannot do without.

        Raises:
            ParameterError: there is none.
        """
        if self.guide is None:
            raise ParameterError("this generator needs a guide")
        return self.guide


class Generator(ABC):
    """One way of choosing what to hide; seeded, vectorised over masks.

    Attributes:
        name: as in ``make_masks(name, …)`` and ``--generator name``.
        title, summary: for people.
        parameters: what it takes beside what all take.
        paper: a key of the bibliography, or "".
        caveat: what a reader must know.
        guide: what guides it besides chance.
        usual_guide: name of the guide that it is given where none is named, or "".
        exact: whether it hides exactly the number of cells that was asked for; the others come
            as near as they can, and what they reached is read off their masks.
        drawn: whether anything is drawn; where nothing is, all masks of a guide are the same.
        paper_hidden: the share that its paper hides, or None.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    paper: ClassVar[str] = ""
    caveat: ClassVar[str] = ""
    guide: ClassVar[Guide] = ""
    usual_guide: ClassVar[str] = ""
    exact: ClassVar[bool] = True
    drawn: ClassVar[bool] = True
    paper_hidden: ClassVar[float | None] = None

    @abstractmethod
    def keep(self, wanted: Wanted, parameters: Mapping[str, Value]) -> np.ndarray:
        """Return masks, bool ``(count, rows, columns)``; True = stays."""

    def noise(self, wanted: Wanted, parameters: Mapping[str, Value]) -> np.ndarray | None:
        """Return how much of the variance of what stays is noise, for each cell, or None: none.

        float64 ``(count, rows, columns)``, 0 … 1. With s of it, a value x of a picture becomes
        √(1 − s)·x + √s·ε in the network's own (normalised) units, ε standard normal.
        """
        return None
