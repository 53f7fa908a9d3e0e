"""Findings about columns as a ranking."""

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
