"""What a study tells of each fill along the hidden share: values, ends, names, colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from components import saying
from components.tokens import KINDS
from engine.mask_results import MissingnessStudy

Measure = Literal["accuracy", "entropy", "unchanged"]
TITLES: dict[Measure, str] = {
    "accuracy": "Right answers",
    "entropy": "Class entropy",
    "unchanged": "Unchanged answers",
}
# The same colour in every study; a grey that reads as grey. Kin share one, and are dashed.
_COLOURS = {
    "smoothed-grey": 7, "spark": 0,
    "layer-masking": 0, "token-drop": 0, "neighbours": 8, "blur": 2, "noise": 3, "mean": 4,
    "shuffled": 5, "white": 6, "grey": 7, "black": 1,
}  # fmt: skip


_DASHED = ("smoothed-grey", "spark")


@dataclass(frozen=True, eq=False)
class Line:
    """One line: a fill, or several whose answers are the same for every picture.

    Attributes:
        fills: their names.
        title: what people call them.
        inside: the same within a sentence.
        colour: hexadecimal.
        dash: "solid" or "dash".
        values: float64 ``(shares,)``: percent, or bits.
        low, high: ends of the 95 % interval.
    """

    fills: tuple[str, ...]
    title: str
    inside: str
    colour: str
    dash: str
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray


def measures(study: MissingnessStudy) -> tuple[Measure, ...]:
    """Return what can be told: no accuracy without labels."""
    return ("accuracy", "entropy", "unchanged") if study.labelled else ("unchanged", "entropy")


def lines(study: MissingnessStudy, measure: Measure) -> list[Line]:
    """Return a line for each fill, those with the same answers as one."""
    factor = 1.0 if measure == "entropy" else 100.0
    values = factor * getattr(study, measure).astype(np.float64)
    ends = factor * getattr(study, f"{measure}_interval").astype(np.float64)
    found = []
    for group in groups(study):
        first = group[0]
        fills = tuple(study.fills[place] for place in group)
        titles = [study.titles[place] for place in group]
        found.append(
            Line(
                fills,
                titles[0] if len(titles) == 1 else saying.begun(_together(titles)),
                _together(titles),
                colour_of(fills[0], first),
                "dash" if fills[0] in _DASHED else "solid",
                values[first],
                ends[first, :, 0],
                ends[first, :, 1],
            )
        )
    return found


def groups(study: MissingnessStudy) -> list[list[int]]:
    """Return the places of fills, those together whose answers are all the same."""
    found: list[list[int]] = []
    for place, answers in enumerate(study.predicted):
        same = next((g for g in found if np.array_equal(study.predicted[g[0]], answers)), None)
        if same is None:
            found.append([place])
        else:
            same.append(place)
    return found


def _together(titles: list[str]) -> str:
    return saying.joined([saying.listed(title) for title in titles])


def colour_of(fill: str, place: int) -> str:
    """Return the colour of a fill; of one that is not known here, by its place."""
    return KINDS[_COLOURS.get(fill, place % len(KINDS))]


def told(measure: Measure, value: float) -> str:
    """Say a value of a line: "73 %", "2.1 bits"."""
    if measure == "entropy":
        return f"{saying.number(value, 2)} bits"
    return saying.share(value / 100)
