"""Scores of attention heads as lines on the terminal, and as one JSON object."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from dashboard.command.listing import describe, parameter_rows

if TYPE_CHECKING:
    from engine.head_results import HeadScores
    from engine.heads.metric import HeadMetric

_SHOWN = 10
_LISTED = 5


def as_object(scores: HeadScores, out: str | None) -> dict[str, Any]:
    """Return what ``--json`` prints; ``out`` is where the result was written."""
    return {**scores.manifest, "out": out, "ranking": _ranking(scores)}


def _ranking(scores: HeadScores) -> list[dict[str, Any]]:
    names = scores.manifest["display"]["layers"]
    entries = []
    for layer, head in scores.ranking:
        entry = {"layer": layer, "head": head, "name": names[layer]}
        for name in scores.arrays:
            array = getattr(scores, name)
            if array is not None and array[layer, head] == array[layer, head]:
                entry["value" if name == "values" else name] = float(array[layer, head])
        entries.append(entry)
    return entries


def tell(scores: HeadScores, out: str | None) -> None:
    """Print the heads that matter most, with errors; layers and heads counted from 0."""
    manifest = scores.manifest
    display, outcome = manifest["display"], manifest["outcome"]
    print(f"{display['title']}, {display['unit']}")
    print(f"({manifest['source']['model_title']}; {_judged_on(manifest)})")
    if display["windowed"]:
        print("Heads attend within windows.")
    ranking = _ranking(scores)
    for place, entry in enumerate(ranking[:_SHOWN], start=1):
        print(f"{place:4}. layer {entry['layer']:2}  head {entry['head']:2}  {_value(entry)}")
    if len(ranking) > _SHOWN:
        print(f"  … and {len(ranking) - _SHOWN} more; --json has all")
    _tell_left_out(outcome["skipped"])
    if out:
        print(f"Written: {out}")


def _judged_on(manifest: dict[str, Any]) -> str:
    """Say on what, and which class each picture was asked about."""
    request, outcome = manifest["request"], manifest["outcome"]
    count = outcome["images"]
    what = manifest["source"]["images"]
    told = what if request["single"] else f"{what}, {count} picture{'s' if count != 1 else ''}"
    if request["only_class"]:
        told += f" of class {request['only_class']['name']}"
    if request["target"]:
        return f"{told}, asked about {request['target']['name']}"
    predicted = outcome["classes_from"]["predictions"]
    if not predicted:
        return f"{told}, true classes"
    return f"{told}, {'predicted classes' if predicted == count else f'{predicted} unlabelled'}"


def _value(entry: dict[str, Any]) -> str:
    if "value" not in entry:
        return f"gradient {entry['cheap']:.4g}"
    error = f" ± {entry['error']:.2g}" if "error" in entry else ""
    return f"{entry['value']:.4g}{error}"


def _tell_left_out(skipped: list[list[str]]) -> None:
    if skipped:
        print(f"Left out: {len(skipped)} files", file=sys.stderr)
    for name, reason in skipped[:_LISTED]:
        print(f"  {name}: {reason}", file=sys.stderr)


def list_metrics(*, as_json: bool) -> int:
    """Print all metrics with what they cost and their parameters; return 0."""
    from engine.heads.registry import head_metrics

    rows = [_row(metric) for metric in head_metrics().values()]
    if as_json:
        print(json.dumps({"metrics": rows}))
        return 0
    for row in rows:
        exact = "switches heads off" if row["exact"] else "a sign"
        print(f"{row['name']}  ({row['title']}; {exact}; {row['cost']})")
        describe(row)
    return 0


def _row(metric: HeadMetric) -> dict[str, Any]:
    from engine.bibliography import paper

    return {
        "name": metric.name,
        "title": metric.title,
        "summary": metric.summary,
        "unit": metric.unit,
        "exact": metric.exact,
        "asks_class": metric.asks_class,
        "cost": metric.family.cost_told,
        "paper": paper(metric.paper).cite(),
        "caveat": metric.caveat,
        "parameters": parameter_rows(metric.parameters),
    }
