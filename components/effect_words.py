"""A sentence about how the prediction moves with one column."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from components import curves
from components.bar_rows import ERRORS
from components.facts import Facts, facts_of
from components.saying import begun, inside, number, with_unit
from engine.table_results import Effects

# Our definitions of what the words mean.
_BACK = 0.15  # of the span: a curve that turns back by less still rises or falls
_LEAST = 0.01  # of a probability, or of the size of other predictions: flat below
_PIECES, _EVEN = 60, 1.5  # pieces of the range; even: nowhere so much steeper than the mean


def effects_sentence(effects: Effects) -> str:
    """Say how the prediction moves over the range of a column."""
    told = facts_of(effects)
    values = effects.values.astype(np.float64)

    def say(point: int) -> str:
        return curves.say(effects, told, float(values[point]))

    if curves.names_of(effects):
        return _of_names(effects, told, say)
    shape = shape_of(effects)
    title = inside(curves.title_of(effects))
    begin = f"With {title} from {_range(effects, told)}, {_subject(effects, told)}"
    if shape == "flat":
        return f"{begin} hardly moves."
    if shape in ("rises", "falls"):
        return f"{begin} {shape} from {say(0)} to {say(-1)}{_steepest(effects, told)}."
    top, bottom = int(values.argmax()), int(values.argmin())
    if shape == "goes up and down":
        return f"{begin} {shape} between {say(bottom)} and {say(top)}."
    word, turn = ("highest", top) if shape.startswith("rises") else ("lowest", bottom)
    where = f"{word} around {_at(effects, told, turn)} ({say(turn)})"
    return f"{begin} {shape}: {say(0)} at first, {where}, {say(-1)} at last."


def shape_of(effects: Effects) -> str:
    """Return "flat", "rises", "falls", "rises, then falls", … or "goes up and down"."""
    values = effects.values.astype(np.float64)
    if _is_flat(effects):
        return "flat"
    give = _BACK * float(np.ptp(values))
    top, bottom = int(values.argmax()), int(values.argmin())
    if _back(values) <= give:
        return "rises"
    if _back(-values) <= give:
        return "falls"
    if _back(values[: top + 1]) <= give and _back(-values[top:]) <= give:
        return "rises, then falls"
    if _back(-values[: bottom + 1]) <= give and _back(values[bottom:]) <= give:
        return "falls, then rises"
    return "goes up and down"


def _is_flat(effects: Effects) -> bool:
    """Whether a curve spans no more than two standard errors, or than is worth a word."""
    values = effects.values.astype(np.float64)
    noise = ERRORS * _error(effects)
    size = 1.0 if facts_of(effects).kind == "probability" else float(np.abs(values).max())
    least = 0.0 if size != 1.0 and curves.are_changes(effects) else _LEAST * size
    return float(np.ptp(values)) <= max(noise, least)


def _error(effects: Effects) -> float:
    """Return the standard error of the span: of the rows' own steps, where these are known."""
    paired = effects.outcome.get("difference_error")
    if paired is not None:
        return float(paired)
    return 0.0 if effects.error is None else float(np.median(effects.error))


def _back(values: np.ndarray) -> float:
    """Return how far a curve falls back from the highest point before."""
    return float((np.maximum.accumulate(values) - values).max(initial=0.0))


def _steepest(effects: Effects, told: Facts) -> str:
    """Say where a curve is steepest: the middle of the tenth of its range that moves it most."""
    if len(effects.grid) < 3:
        return ""
    x = np.linspace(effects.grid[0], effects.grid[-1], _PIECES + 1)
    y = np.interp(x, effects.grid, effects.values.astype(np.float64))
    wide = _PIECES // 10
    moved = (y[wide:] - y[:-wide]) * np.sign(y[-1] - y[0])
    place = int(moved.argmax())
    if moved[place] < _EVEN * abs(y[-1] - y[0]) / 10:
        return ", about evenly"
    middle = number(float(x[place] + x[place + wide]) / 2, 2)
    return f", steepest around {with_unit(middle, told.units[curves.place_of(effects)])}"


def _range(effects: Effects, told: Facts) -> str:
    """Say from where to where a grid goes, the unit once: "17 to 90 years"."""
    unit = f" {told.units[curves.place_of(effects)]}"
    return f"{_at(effects, told, 0).removesuffix(unit)} to {_at(effects, told, -1)}"


def _at(effects: Effects, told: Facts, point: int) -> str:
    return told.cell(curves.place_of(effects), float(effects.grid[point]))


def _subject(effects: Effects, told: Facts) -> str:
    if curves.are_changes(effects):
        return f"the effect on {told.noun}"
    return f"the average {told.noun.removeprefix('the ')}"


def _of_names(effects: Effects, told: Facts, say: Callable[[int], str]) -> str:
    names, title = curves.names_of(effects), inside(curves.title_of(effects))
    if _is_flat(effects):
        return f"{begun(_subject(effects, told))} is much the same for every {title}."
    high, low = (
        f"“{names[int(effects.grid[at])]}” ({say(at)})"
        for at in (int(effects.values.argmax()), int(effects.values.argmin()))
    )
    return f"By {title}, {_subject(effects, told)} is highest for {high} and lowest for {low}."
