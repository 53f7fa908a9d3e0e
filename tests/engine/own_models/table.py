"""The table of own models as it is kept in ``tests/bench/RESULTS.md``: written, and read again."""

from __future__ import annotations

import re
from math import log10
from pathlib import Path

from tests.engine.own_models.cells import TOLERANCE, Cell

RESULTS = Path(__file__).parents[2] / "bench" / "RESULTS.md"
_BEGIN, _END = "<!-- own models: begin -->", "<!-- own models: end -->"
_BOUND = re.compile(r"works \(≤ (1e-\d)( in float64)?\)")

Rows = dict[str, dict[str, Cell]]


def text_of(rows: Rows, titles: dict[str, str]) -> str:
    """A Markdown table of models and methods, with the reasons below.

    Args:
        rows: of each model, the cell of each method by its name.
        titles: of the methods, in the order of the columns. Methods that every model refuses for
            the same reason get a line instead of a column.
    """
    reasons: list[str] = []
    nowhere = {method: _reason_of_all(rows, method) for method in titles}
    titles = {method: title for method, title in titles.items() if not nowhere[method]}
    lines = [
        "| model | " + " | ".join(titles.values()) + " |",
        "|---|" + "---|" * len(titles),
    ]
    for model, cells in rows.items():
        told = [_told(cells[method], reasons) for method in titles]
        lines.append(f"| {model} | {' | '.join(told)} |")
    lines += ["", *(f"{number}. {reason}" for number, reason in enumerate(reasons, start=1))]
    lines += ["", *(f"Refused by all: {reason}." for reason in nowhere.values() if reason)]
    return "\n".join(lines).strip()


def _reason_of_all(rows: Rows, method: str) -> str:
    found = {cells[method].reason for cells in rows.values()}
    return found.pop() if len(found) == 1 else ""


def _told(cell: Cell, reasons: list[str]) -> str:
    if cell.verdict == "works":
        where = " in float64" if cell.in_float64 else ""
        return "works" if cell.bound is None else f"works (≤ 1e{round(log10(cell.bound))}{where})"
    if cell.reason not in reasons:
        reasons.append(cell.reason)
    return f"{cell.verdict}: {reasons.index(cell.reason) + 1}"


def kept() -> str:
    """The table in the file."""
    return RESULTS.read_text("utf-8").partition(_BEGIN)[2].partition(_END)[0].strip()


def keep(text: str) -> None:
    """Put a table into the file, in place of the one that is there."""
    before, _, rest = RESULTS.read_text("utf-8").partition(_BEGIN)
    after = rest.partition(_END)[2]
    RESULTS.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}", "utf-8")


def without_bounds(text: str) -> str:
    """The same table without how far each cell may be off."""
    return _BOUND.sub("works", text)


def bounds_in(text: str) -> dict[tuple[str, str], float]:
    """How far each cell may be off in float32, by model and method's title."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    titles, *models = rows
    return {
        (name, title): TOLERANCE if found[2] else float(found[1])
        for name, *cells in models
        for title, cell in zip(titles[1:], cells, strict=True)
        if (found := _BOUND.fullmatch(cell))
    }
