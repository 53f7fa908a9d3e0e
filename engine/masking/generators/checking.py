"""Whether what is wanted of a mask generator can be had."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from engine.errors import ParameterError
from engine.masking.generators.generator import Generator

MOST = 10_000
_NEEDS = {"scores": "a map of scores", "regions": "a map of regions", "drawn": "a drawn mask"}
_KINDS = {"scores": "numbers", "regions": "whole numbers from 0", "drawn": "true or false"}


def check_wanted(grid: tuple[int, int], hidden: float, count: int, seed: int) -> None:
    """Check what every generator takes.

    Raises:
        ParameterError: one line that says what was wrong and what would be right.
    """
    if not (
        isinstance(grid, tuple) and len(grid) == 2 and all(map(_whole, grid)) and min(grid) > 0
    ):
        raise ParameterError(f"grid={grid!r}: expected rows and columns, (14, 14) for one")
    if isinstance(hidden, bool) or not isinstance(hidden, int | float | np.number):
        raise ParameterError(f"hidden={hidden!r}: expected a share from 0 to 1")
    if not isfinite(hidden) or not 0 <= hidden <= 1:
        raise ParameterError(f"hidden={hidden} is out of range: a share from 0 to 1")
    if not _whole(count) or not 1 <= count <= MOST:
        raise ParameterError(f"count={count!r}: expected a number of masks, 1 to {MOST}")
    check_seed(seed)


def check_seed(seed: Any) -> None:
    """Raise ``ParameterError`` if a seed is no whole number."""
    if not _whole(seed):
        raise ParameterError(f"seed={seed!r}: expected a whole number")


def checked_guide(
    found: Generator, guide: np.ndarray | None, grid: tuple[int, int]
) -> np.ndarray | None:
    """Return a guide as a generator wants it: float64 scores, int64 regions or bool.

    Raises:
        ParameterError: it is missing, not wanted, of another kind, or of another shape.
    """
    if not found.guide:
        if guide is not None:
            raise ParameterError(f"{found.name} is guided by nothing but chance; leave it out")
        return None
    if guide is None:
        raise ParameterError(f"{found.name} needs {_NEEDS[found.guide]} to be guided by")
    array = np.asarray(guide)
    if not _suits(array, found.guide):
        raise ParameterError(
            f"{found.name} needs {_NEEDS[found.guide]}: {_KINDS[found.guide]}, all of them finite; "
            f"this one is {array.dtype}"
        )
    axes = (2, 3) if found.guide == "scores" else (2,)
    if array.ndim not in axes or array.shape[-2:] != grid or not array.size:
        raise ParameterError(
            f"the guide of {found.name} has shape {array.shape}; the grid has {grid}"
        )
    kinds = {"scores": np.float64, "regions": np.int64, "drawn": np.bool_}
    return array.astype(kinds[found.guide])


def _suits(array: np.ndarray, kind: str) -> bool:
    if kind == "drawn":
        return array.dtype == np.bool_
    if kind == "regions":
        return array.dtype.kind in "iu" and bool((array >= 0).all())
    return array.dtype.kind in "iuf" and bool(np.isfinite(array).all())


def _whole(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
