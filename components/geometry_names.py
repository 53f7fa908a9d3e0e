"""What the measures at the classifier are called, and how their numbers are said."""

from __future__ import annotations

from typing import Literal

import numpy as np

from components import saying
from components.tokens import BAR_CHOSEN, KINDS
from engine.prune_results import Geometry

Measure = Literal["angle", "norm", "margin"]
MEASURES: tuple[Measure, ...] = ("angle", "norm", "margin")
TITLES = {
    "angle": "angle to the class (°)",
    "norm": "norm",
    "margin": "margin",
}
RIGHT, WRONG = BAR_CHOSEN, KINDS[1]
_SHAPES = (
    "circle", "square", "diamond", "cross", "triangle-up", "x", "star", "pentagon", "hexagon",
    "triangle-down", "hourglass", "bowtie", "star-square", "diamond-tall", "hexagram", "octagon",
)  # fmt: skip


def values(found: Geometry, measure: Measure) -> np.ndarray:
    """Return a measure, float32 ``(models, benchmarks, n)``; NaN where there is none."""
    given = {"angle": found.angle, "norm": found.norm, "margin": found.margin}[measure]
    return np.asarray(np.where(np.isfinite(given), given, np.nan))


def middle(found: Geometry, measure: Measure, model: int, benchmark: int) -> float:
    """Return the median of a measure over the pictures that have it; NaN without any."""
    given = values(found, measure)[model, benchmark]
    there = given[np.isfinite(given)]
    return float(np.median(there)) if len(there) else float("nan")


def said(measure: Measure, value: float) -> str:
    """Say a measure: "angle 48°", "margin −0.3"."""
    if np.isnan(value):
        return f"no {measure}"
    return f"{measure} {saying.number(value)}{'°' if measure == 'angle' else ''}"


def shape(benchmark: int) -> str:
    """Return the symbol of a benchmark."""
    return _SHAPES[benchmark % len(_SHAPES)]


def picture(found: Geometry, place: int) -> str:
    """Return the name of a picture."""
    return str(found.manifest["display"]["pictures"][place])


def of_class(found: Geometry, place: int) -> np.ndarray:
    """Return the places of the pictures of a class, int ``(k,)``."""
    return np.flatnonzero(found.labels == place)
