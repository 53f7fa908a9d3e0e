"""What a mask generator is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

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


class Generator(ABC):
    """One way of choosing what to hide; seeded, vectorised over masks."""

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    paper: ClassVar[str] = ""
    caveat: ClassVar[str] = ""
    guide: ClassVar[Guide] = ""
    # Whether it hides exactly the number of cells that was asked for; others tell what they
    # reached.
    exact: ClassVar[bool] = True

    @abstractmethod
    def keep(self, wanted: Wanted, parameters: Mapping[str, Value]) -> np.ndarray:
        """Return masks, bool ``(count, rows, columns)``; True = stays."""
