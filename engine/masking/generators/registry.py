"""All mask generators, found by looking at the modules of this package."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from engine.masking import generators as package
from engine.masking.generators.checking import check_wanted, checked_guide
from engine.masking.generators.generator import Generator, Wanted
from engine.parameters import check_all
from engine.registry import found_in, one_of


@cache
def generators() -> dict[str, Generator]:
    """Return all generators by name, in alphabetical order of their titles."""
    return found_in(package, Generator)


def find_generator(name: str) -> Generator:
    """Return a generator by name.

    Raises:
        MethodError: there is none of that name; the nearest are told.
    """
    return one_of(generators(), name, "generator")


def make_masks(
    name: str,
    grid: tuple[int, int],
    hidden: float,
    *,
    count: int = 1,
    seed: int = 0,
    guide: np.ndarray | None = None,
    **parameters: Any,
) -> np.ndarray:
    """Make masks by a generator's name.

    Args:
        name: ``generators()`` has them.
        grid: rows and columns of cells.
        hidden: share of the cells to hide, 0 … 1.
        count: how many masks.
        seed: of all that is drawn.
        guide: as in ``Wanted``, for generators that want one.
        **parameters: of the generator.

    Returns:
        bool ``(count, rows, columns)``; True = stays.

    Raises:
        MethodError: no such generator.
        ParameterError: a bad value, a share beyond 0 … 1, a guide that is missing or does not
            fit the grid, or one for a generator that takes none.
    """
    found = find_generator(name)
    check_wanted(grid, hidden, count, seed)
    values = check_all(parameters, found.parameters, found.name)
    wanted = Wanted(grid, float(hidden), count, seed, checked_guide(found, guide, grid))
    return found.keep(wanted, values)
