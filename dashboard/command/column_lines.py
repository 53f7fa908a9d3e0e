"""Findings about columns as lines on the terminal, and as one JSON object; the list of measures."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

from dashboard.command.listing import describe, parameter_rows

if TYPE_CHECKING:
    from engine.table_results import Measured
    from engine.tables.measure import Measure

_SHOWN = 10
_POINTS = 25


def as_object(result: Measured, out: str | None) -> dict[str, Any]:
    """Return what ``--json`` prints of a finding; ``out`` is where it was written."""
    from components.table_words import sentence_of
    from engine.tables.telling import ranking

    return {
        **result.manifest,
        "out": out,
        "ranking": ranking(result),
        "sentence": sentence_of(result),
    }


def tell(result: Measured, out: str | None, *, last: bool) -> None:
    """Print a finding: its title, the ranking or the points, and one sentence."""
    from components.table_words import sentence_of
    from engine.tables.telling import ranking

    source, outcome = result.manifest["source"], result.outcome
    rows = f"{outcome['rows']} of {outcome['of']}" if outcome["rows"] < outcome["of"] else "all"
    print(f"{source['measure_title']}, {result.manifest['display']['unit']}")
    print(f"({source['model_title'] or 'no model'}; {source['table']}, {rows} rows)")
    _tell_ranking(ranking(result), ranked="column" not in result.manifest["display"])
    for rule in outcome.get("rules", []):
        print(textwrap.fill(rule, 96, initial_indent="  ", subsequent_indent="    "))
    for title, reason in outcome.get("left_out", []):
        print(f"Left out: {title} ({reason})")
    print(sentence_of(result))
    if out:
        print(f"Written: {out}")
    if not last:
        print()


def _tell_ranking(entries: list[dict[str, Any]], *, ranked: bool) -> None:
    """Print the first entries; the points of an effect stand in the column's own order."""
    shown = entries[: _SHOWN if ranked else _POINTS]
    width = max((len(entry["title"]) for entry in shown), default=0)
    for place, entry in enumerate(shown, start=1):
        error = f" ± {entry['error']:.2g}" if "error" in entry else ""
        number = f"{place:4}. " if ranked else "  "
        print(f"{number}{entry['title']:<{width}}  {entry['value']:.4g}{error}")
    if len(entries) > len(shown):
        print(f"  … and {len(entries) - len(shown)} more; --json has all")


def list_measures(*, as_json: bool) -> int:
    """Print all measures with their parameters; return 0."""
    from engine.tables.registry import measures

    rows = [_row(measure) for measure in measures().values()]
    if as_json:
        print(json.dumps({"measures": rows}))
        return 0
    for row in rows:
        _describe(row)
    return 0


def _row(measure: Measure) -> dict[str, Any]:
    from engine.bibliography import paper

    return {
        "name": measure.name,
        "title": measure.title,
        "summary": measure.summary,
        "needs": _needs(measure),
        "rows": measure.most_rows,
        "paper": paper(measure.paper).cite(),
        "caveat": measure.caveat,
        "parameters": parameter_rows(measure.parameters),
    }


def _needs(measure: Measure) -> list[str]:
    needs = {
        "model": measure.needs_model,
        "label": measure.needs_labels,
        "column": measure.takes_column,
    }
    return [name for name, needed in needs.items() if needed]


def _describe(row: dict[str, Any]) -> None:
    needs = f"; needs a {', a '.join(row['needs'])}" if row["needs"] else ""
    print(f"{row['name']}  ({row['title']}{needs})")
    describe(row)
