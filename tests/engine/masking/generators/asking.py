"""What every generator can be asked in tests: guides made up for a grid, and all its parameters."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from engine.masking.generators.generator import Generator
from engine.masking.generators.registry import generators, make_masks

Grid = tuple[int, int]


def variants(found: Generator) -> list[dict[str, Any]]:
    """Each choice with each other, numbers at both ends."""
    given = [
        [(one.name, value) for value in (one.choices or (one.low, one.default, one.high))]
        for one in found.parameters
    ]
    return [dict(chosen) for chosen in product(*given)]


CASES = [(name, variant) for name, found in generators().items() for variant in variants(found)]
IDS = [f"{name}-{'-'.join(map(str, variant.values()))}".strip("-") for name, variant in CASES]


def guide_for(found: Generator, grid: Grid, seed: int = 0) -> np.ndarray | None:
    draw = np.random.default_rng(seed)
    if found.guide == "scores":
        return draw.normal(size=grid)
    if found.guide == "regions":
        return draw.integers(0, 4, size=grid)
    return draw.random(grid) < 0.5 if found.guide == "drawn" else None


def make(name: str, grid: Grid, hidden: float, **more: Any) -> np.ndarray:
    found = generators()[name]
    return make_masks(name, grid, hidden, **{"guide": guide_for(found, grid), **more})
