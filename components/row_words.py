"""Sentences about one row: why the model says so, and which row is nearest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from components import contributions, saying
from components.contributions import Waterfall
from components.facts import Facts, facts_of
from components.saying import inside, joined, named
from engine.results import Attribution

# Our definitions of what is worth a word.
_SHARE_OF_LARGEST = 0.1  # smaller values are not named
_CHANGES = 3
_SAME = 0.005  # of a probability; of other numbers, the share of the largest value


def waterfall_sentence(attribution: Attribution) -> str:
    """Say what the model says of a row, and mostly because of what.

    Methods without a base value get a sentence on what speaks for and against.
    """
    if not contributions.has_base(attribution):
        return _sides(attribution)
    rows = contributions.waterfall_of(attribution)
    told, values = rows.facts, rows.values
    change = rows.end - rows.base
    largest = float(np.abs(values).max(initial=0.0))
    same = _SAME if told.kind == "probability" else _SAME * largest
    if abs(change) <= same:
        return f"{_head(rows, 'as')}{_balance(rows)}.{_left_over(rows)}"
    up = change > 0
    head = _head(rows, "up from" if up else "down from")
    reasons = _reasons(rows, up, attribution)
    return f"{head}{reasons}.{_left_over(rows)}"


def nearest_sentence(
    name: str, now: str, nearest: int, other: str, changes: Sequence[tuple[str, Any, Any]]
) -> str:
    """Say which row is the nearest with another outcome, and where it differs.

    Args:
        name: of the row looked at: "row 7 of cancer".
        now: its outcome; "" for a regression.
        nearest: number of the other row.
        other: its outcome; of a regression "higher" or "lower".
        changes: (title, what stands here, what stands there), the largest change first; three
            are told.
    """
    how = (
        f"the other outcome ({named(other)} instead of {named(now)})" if now else f"a {other} value"
    )
    begin = f"The nearest row with {how} is row {nearest}"
    if not changes:
        return f"{begin}; no column of it differs from {name}."
    told = [
        f"{inside(title)} ({saying.cell(here)} → {saying.cell(there)})"
        for title, here, there in changes[:_CHANGES]
    ]
    most = "most " if len(changes) > _CHANGES else ""
    return f"{begin}; it differs from {name} {most}in {joined(told)}."


def _head(rows: Waterfall, how: str) -> str:
    told = rows.facts
    begin = f"{saying.begun(told.noun)} is {told.level(rows.end)}"
    if told.kind == "probability" and not told.versus:
        begin = f"The model says {told.level(rows.end)} {named(told.target)}"
    return f"{begin}, {how} {_base(rows) if how == 'as' else _from(rows)}"


def _base(rows: Waterfall) -> str:
    """Say what the base is: "for the average row", "on average over 100 rows"."""
    if rows.begins_at.startswith("average of "):
        return f"on average over {rows.begins_at.removeprefix('average of ')}"
    return f"for the {rows.begins_at}"


def _from(rows: Waterfall) -> str:
    told = rows.facts.level(rows.base)
    return f"{told}, the base of the fit" if "fit" in rows.begins_at else f"{told} {_base(rows)}"


def _reasons(rows: Waterfall, up: bool, attribution: Attribution) -> str:
    """Name the two columns that did most of it, and the one that did most against it."""
    values = rows.values if up else -rows.values
    least = _SHARE_OF_LARGEST * float(np.abs(values).max(initial=0.0))
    drivers = [i for i in range(len(values)) if values[i] > least][:2]
    against = [i for i in range(len(values)) if values[i] < -least][:1]
    names = _names(rows, attribution)
    parts = []
    if drivers:
        parts.append(f": mostly because of {joined([names[i] for i in drivers])}")
    if against:
        link = ", while" if drivers else ", although"
        parts.append(f"{link} {names[against[0]]} {_opposes(rows.facts, up)}")
    return "".join(parts)


def _opposes(told: Facts, up: bool) -> str:
    if told.kind == "value":
        return "pulls it down" if up else "pushes it up"
    return "speaks against it" if up else "speaks for it"


def _balance(rows: Waterfall) -> str:
    if not np.any(rows.values):
        return ": no column moves it"
    return ": what pushes it up and what pulls it down cancel out"


def _left_over(rows: Waterfall) -> str:
    if not rows.left_over:
        return ""
    told = rows.facts.change(rows.residual)
    if rows.residual * (rows.end - rows.base) > 0:
        return f" {saying.begun(told)} of the difference {_are(told)} not shared out."
    return f" Together the columns overshoot the difference by {told}."


def _are(told: str) -> str:
    return "are" if told.endswith("points") else "is"


def _names(rows: Waterfall, attribution: Attribution) -> list[str]:
    """Return "worst area (880 mm²)" for each column, in the waterfall's order."""
    row = attribution.manifest["source"].get("row", {})
    return [_name(rows.facts, int(place), row) for place in rows.order]


def _name(told: Facts, place: int, row: dict[str, Any]) -> str:
    title, cell = inside(told.titles[place]), told.cell(place, row.get(told.columns[place]))
    return f"{title}: {cell}" if "(" in title else f"{title} ({cell})"


def _sides(attribution: Attribution) -> str:
    """Say what speaks most for and against, where nothing adds up to a difference."""
    told, values = facts_of(attribution), attribution.values.astype(np.float64)
    row = attribution.manifest["source"].get("row", {})
    least = _SHARE_OF_LARGEST * float(np.abs(values).max(initial=0.0))
    order = np.argsort(-np.abs(values), kind="stable")
    above = [_name(told, int(p), row) for p in order if values[p] > least][:2]
    below = [_name(told, int(p), row) for p in order if values[p] < -least][:2]
    value = told.kind == "value"
    about = told.noun if value or told.versus else named(told.target)
    if attribution.manifest["display"].get("view") == "magnitude":
        return _slopes(told.noun, above, below)
    goes_up, goes_down = ("raises", "lowers") if value else ("speaks for", "speaks against")
    if not above and not below:
        return f"No column {goes_up} or {goes_down.removeprefix('speaks ')} {about}."
    if not above:
        return f"Nothing {goes_up} {about}; {joined(below)} {_many(goes_down, below)} it most."
    end = f"; most against it: {joined(below)}" if below and not value else ""
    end = f"; most lowered by {joined(below)}" if below and value else end
    return f"{saying.begun(joined(above))} {_many(goes_up, above)} {about} most{end}."


def _slopes(about: str, above: Sequence[str], below: Sequence[str]) -> str:
    """Say which way the number would move: a gradient tells nothing of what speaks for it."""
    parts = []
    if above:
        parts.append(f"rise if {joined(above)} rose")
    if below:
        parts.append(f"fall if {joined(below)} rose")
    if not parts:
        return f"No column would move {about} if it rose a little."
    return f"{saying.begun(about)} would {' and '.join(parts)} a little; this is no evidence."


def _many(verb: str, names: Sequence[str]) -> str:
    """Put a verb into the plural for several names: "speaks for" → "speak for"."""
    first, _, rest = verb.partition(" ")
    plain = first.removesuffix("s") if len(names) > 1 else first
    return f"{plain} {rest}".strip()
