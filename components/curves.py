"""What effects of a column say of themselves: their kind, their names, their points."""

from __future__ import annotations

from components.facts import Facts, facts_of
from engine.table_results import Effects


def are_changes(effects: Effects) -> bool:
    """Whether the curve tells changes, not predictions: accumulated local effects, centred ICE."""
    local = facts_of(effects).measure in ("accumulated-effects", "ale")
    return local or bool(effects.manifest["display"].get("centred"))


def title_of(effects: Effects) -> str:
    """Return what people call the column."""
    display = effects.manifest["display"]
    return str(display.get("column_title") or display.get("title") or display["column"])


def names_of(effects: Effects) -> list[str]:
    """Return the names of the categories; none for a column of numbers."""
    return list(effects.manifest["display"].get("categories") or ())


def place_of(effects: Effects) -> int:
    """Return the place of the column among all."""
    return effects.columns.index(effects.manifest["display"]["column"])


def say(effects: Effects, told: Facts, value: float) -> str:
    """Say a point of the curve: a prediction, or a change."""
    if not are_changes(effects):
        return told.level(value)
    return f"{told.step(value)}{' points' if told.kind == 'probability' else ''}"
