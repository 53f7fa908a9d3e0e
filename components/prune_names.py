"""What people call ways of pruning, and how their numbers are said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from components import saying
from engine.prune_results import RANDOM, PruneSweep
from engine.scores import Share

Value = Literal["accuracy", "confidence", "ece", "agreement"]
VALUES: tuple[Value, ...] = ("accuracy", "confidence", "ece", "agreement")
REPAIRS = {
    "none": "no repair",
    "bn": "batch norm recalibrated",
    "bias": "bias compensated",
    "both": "both repairs",
}
SCOPES = {
    "uniform": "uniform per layer",
    "global": "global",
    "standardised": "global, standardised",
}
UNITS = {"channels": "channel", "hidden": "hidden unit", "heads": "head"}


def criterion(found: PruneSweep, way: int) -> str:
    """Return the title of what scored units: "Group L2"."""
    name = found.ways[way].criterion
    return str(found.display["criteria"].get(name, name))


def way_name(found: PruneSweep, way: int, beside: Sequence[int] = ()) -> str:
    """Return the name of a way: its criterion, and what is not the same in others.

    Args:
        found: the sweep.
        way: its place.
        beside: places of the ways it is told apart from; none of them: told in full.
    """
    own = found.ways[way]
    others = [found.ways[place] for place in beside if place != way]
    drawings = [found.ways[place].draw for place in found.controls(way)]
    parts = [criterion(found, way)]
    if own.criterion == RANDOM and len(drawings) > 1:
        parts[0] += f" (drawing {own.draw + 1})"
    if not others or any(one.scope != own.scope for one in others):
        parts.append(SCOPES.get(own.scope, own.scope))
    if not others or any(one.repair != own.repair for one in others):
        parts.append(REPAIRS.get(own.repair, own.repair))
    return ", ".join(parts)


def value_title(found: PruneSweep, value: Value) -> str:
    """Return what a value is, within a sentence; "right" only where there are labels."""
    if value == "accuracy":
        return "accuracy" if found.labelled else "agreement with the untouched network"
    if value == "ece":
        return "calibration error" if found.labelled else "confidence apart from agreement"
    if value == "confidence":
        return "mean confidence"
    return "agreement with the untouched network"


def value_of(found: PruneSweep, way: int, ratio: int, value: Value) -> Share:
    """Return a value with its interval, 0 … 1; the calibration error has none (NaN)."""
    if value == "ece":
        return _without(found.calibration(way, ratio).error, int(found.judged.sum()))
    return {
        "accuracy": found.accuracy,
        "confidence": found.certainty,
        "agreement": found.agreement,
    }[value](way, ratio)


def dense_value(found: PruneSweep, value: Value) -> Share:
    """Return the same of the untouched network."""
    if value == "ece":
        return _without(found.dense_calibration().error, int(found.judged.sum()))
    if value == "agreement":
        return Share(1.0, 1.0, 1.0, len(found.dense_predicted))
    return found.dense_accuracy() if value == "accuracy" else found.dense_certainty()


def _without(value: float, count: int) -> Share:
    return Share(value, float("nan"), float("nan"), count)


def told(share: Share, value: Value = "accuracy") -> str:
    """Say a value with its interval: "83 % (78 – 87)"; an error to a tenth: "18.6 %"."""
    if share.value != share.value:
        return "not known"
    if value == "ece":
        return f"{100 * share.value:.1f} %"
    if share.low != share.low:
        return saying.share(share.value)
    return f"{saying.share(share.value)} ({interval(share.low, share.high)})"


def interval(low: float, high: float) -> str:
    """Say the ends of an interval in percent: "78 – 87"."""
    return " – ".join(_end(one) for one in (low, high))


def points(share: Share) -> str:
    """Say a change with its interval in points: "−24 points (−33 to −12)"."""
    if share.value != share.value:
        return "not known"
    size = _end(share.value, signed=True)
    unit = "point" if size in ("+1", "−1") else "points"
    ends = f"{_end(share.low, signed=True)} to {_end(share.high, signed=True)}"
    return f"{size} {unit} ({ends})"


def _end(value: float, *, signed: bool = False) -> str:
    """Say hundredths: whole numbers, and tenths below ten where changes are small."""
    percent = round(100 * value, 6)  # −57.49999999 is −57.5: a half goes where that of a share goes
    rounded = round(percent, 1 if signed and abs(value) < 0.1 else 0)
    return (saying.signed if signed else saying.number)(rounded, 3)


def unit(kind: str) -> str:
    """Return what a group's units are called, one of them: "channel"."""
    return UNITS.get(kind, "unit")
