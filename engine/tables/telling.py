"""Findings about columns in plain words: a ranking, and one sentence."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from engine.table_results import (
    Agreement,
    ColumnScores,
    Effects,
    Groups,
    Measured,
    Surrogate,
    Swarm,
)

# A value is told from 0 if it is further away than so many standard errors (95 %).
_ERRORS = 1.96
_SHOWN = 3


def ranking(result: Measured) -> list[dict[str, Any]]:
    """Return what was found, the most important first; of an effect, along the column.

    Returns:
        For each entry its ``title``, ``value`` and, where there is one, ``error``; also the
        ``column`` (of a group, the ``columns``), or the two ``measures`` that agree so far.
    """
    if isinstance(result, Effects):
        return _points(result)
    if isinstance(result, Groups):
        return _groups(result)
    if isinstance(result, Agreement):
        return _pairs(result)
    values, errors = _per_column(result)
    return [
        {
            "column": result.columns[i],
            "title": result.titles[i],
            "value": float(values[i]),
            **({} if errors is None else {"error": float(errors[i])}),
        }
        for i in np.argsort(-values, kind="stable")
    ]


def sentence(result: Measured) -> str:
    """Say in one sentence what was found."""
    if isinstance(result, Effects):
        return _effect(result)
    if isinstance(result, Agreement):
        return _agreement(result)
    entries = ranking(result)
    if isinstance(result, Surrogate):
        return _fidelity(result)
    first = entries[0]["title"]
    if all(entry["value"] <= _ERRORS * entry.get("error", 0.0) for entry in entries):
        return "Nothing can be told from chance."
    told = f"{first} comes first" + (f", then {entries[1]['title']}." if len(entries) > 1 else ".")
    if "error" not in entries[0]:
        return told
    unsure = sum(entry["value"] <= _ERRORS * entry["error"] for entry in entries)
    kind = "groups" if isinstance(result, Groups) else "columns"
    told_apart = f" {unsure} of {len(entries)} {kind} cannot be told from 0." if unsure else ""
    return told + told_apart


def _per_column(result: Measured) -> tuple[np.ndarray, np.ndarray | None]:
    if isinstance(result, Swarm):
        return result.importance(), None
    if isinstance(result, ColumnScores):
        return result.values, result.error
    assert isinstance(result, Surrogate)
    return result.values, None


def _points(result: Effects) -> list[dict[str, Any]]:
    names = result.manifest["display"]["categories"]
    return [
        {
            "title": names[int(at)] if names else f"{at:.4g}",
            "at": names[int(at)] if names else float(at),
            "value": float(value),
            **({} if result.error is None else {"error": float(result.error[i])}),
        }
        for i, (at, value) in enumerate(zip(result.grid, result.values, strict=True))
    ]


def _groups(result: Groups) -> list[dict[str, Any]]:
    titles = dict(zip(result.columns, result.titles, strict=True))
    return [
        {
            "columns": members,
            "title": _listed([titles[name] for name in members]),
            "value": float(result.values[i]),
            **({} if result.error is None else {"error": float(result.error[i])}),
        }
        for i, members in enumerate(result.manifest["display"]["groups"])
    ]


def _listed(titles: list[str]) -> str:
    shown = ", ".join(titles[:_SHOWN])
    return shown + (f" and {len(titles) - _SHOWN} more" if len(titles) > _SHOWN else "")


def _pairs(result: Agreement) -> list[dict[str, Any]]:
    titles = result.manifest["display"]["measures"]
    found = [
        {
            "measures": [titles[one], titles[other]],
            "title": f"{titles[one]} and {titles[other]}",
            "value": float(result.matrix[one, other]),
        }
        for one, other in combinations(range(len(titles)), 2)
    ]
    return sorted(found, key=lambda entry: -entry["value"])


def _effect(result: Effects) -> str:
    display, points = result.manifest["display"], _points(result)
    lowest, highest = int(result.values.argmin()), int(result.values.argmax())
    title, unit = display["column_title"], display["unit"]
    low, high = float(result.values[lowest]), float(result.values[highest])
    if len(points) < 2 or low == high:
        return f"{unit[0].upper()}{unit[1:]}: {high:.3g} throughout; {title} moves nothing."
    return (
        f"{unit[0].upper()}{unit[1:]}: highest ({high:.3g}) where {title} is "
        f"{points[highest]['title']}, lowest ({low:.3g}) where it is {points[lowest]['title']}."
    )


def _agreement(result: Agreement) -> str:
    pairs = _pairs(result)
    if not pairs:
        return "Only one measure could be asked."
    mean = float(np.mean([pair["value"] for pair in pairs]))
    told = f"The measures agree by {mean:.2f} on average (1: the same order, 0: none)"
    if len(pairs) < 2:
        return f"{told}."
    best, worst = pairs[0], pairs[-1]
    return (
        f"{told}; most alike are {best['title']} ({best['value']:.2f}), least alike "
        f"{worst['title']} ({worst['value']:.2f})."
    )


def _fidelity(result: Surrogate) -> str:
    found = result.outcome["fidelity"]
    rows = f"on {found['rows']} rows that it has not seen"
    if "r2" not in found:
        return f"The model says the same of all rows {rows}: there is nothing to imitate."
    told = f"The tree explains {100 * found['r2']:.0f} % of how the model's number varies {rows}"
    if found["r2"] < 0:
        told = f"The tree is further from the model's number than its mean is {rows}"
    if "agreement" in found:
        told += f", and decides as the model does in {100 * found['agreement']:.0f} % of them"
    return f"{told}."
