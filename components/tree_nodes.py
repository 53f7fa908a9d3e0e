"""The nodes of a small decision tree in the order of reading, and what they ask."""

from __future__ import annotations

from dataclasses import dataclass

from components import fitting
from components.facts import Facts, facts_of
from components.saying import exact, with_unit
from engine.table_results import Surrogate


@dataclass(frozen=True)
class Node:
    """A node as it is drawn: a line of its own, indented by its depth.

    Attributes:
        place: in the tree's arrays.
        line, depth: where it stands.
        answer: "yes" or "no" to the question of its parent, "" for the first.
        parent: the line of its parent.
    """

    place: int
    line: int
    depth: int
    answer: str
    parent: int


def nodes_of(surrogate: Surrogate) -> list[Node]:
    """Put the nodes in the order of reading: each question, then what follows yes, then no."""
    found: list[Node] = []
    told = facts_of(surrogate)

    def visit(place: int, depth: int, answer: str, parent: int) -> None:
        line = len(found)
        found.append(Node(place, line, depth, answer, parent))
        left, right = (int(child) for child in surrogate.children[place])
        if left < 0:
            return
        yes, no = (right, left) if _is_name(surrogate, told, place) else (left, right)
        visit(yes, depth + 1, "yes", line)
        visit(no, depth + 1, "no", line)

    visit(0, 0, "", -1)
    return found


def question(surrogate: Surrogate, told: Facts, place: int, room: float = 1000.0) -> str:
    """Return what a node asks, "Worst area ≤ 880 mm²?", at most ``room`` pixels wide."""
    column, threshold = int(surrogate.feature[place]), float(surrogate.threshold[place])
    name = _is_name(surrogate, told, place)
    number = with_unit(exact(threshold), told.units[column])
    cell = told.cell(column, threshold) if name else number
    end = f" {'is' if name else '≤'} {fitting.fitted(cell, room * 0.45)}?"
    return fitting.fitted(told.titles[column], room - fitting.width(end)) + end


def _is_name(surrogate: Surrogate, told: Facts, place: int) -> bool:
    return told.columns[int(surrogate.feature[place])] in told.categories
