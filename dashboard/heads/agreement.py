"""How far cheap metrics put heads in the order of exact ablation, as measured on bundled models."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files


@cache
def _measured() -> dict[str, dict[str, float]]:
    """Return rank correlations by model and metric; nothing where none were measured."""
    file = files("assets").joinpath("heads/agreement.json")
    if not file.is_file():
        return {}
    read = json.loads(file.read_text("utf-8"))
    return {
        model: {name: float(value) for name, value in found.items() if _is_number(value)}
        for model, found in read.items()
        if isinstance(found, dict)
    }


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def titled(title: str, ref: str, metric: str) -> str:
    """Return a metric's title with its measured agreement, where there is one."""
    value = _measured().get(ref, {}).get(metric)
    return title if value is None else f"{title} · {value:.2f}"


def told(ref: str, metric: str) -> str:
    """Say the measured agreement of a metric, or nothing."""
    value = _measured().get(ref, {}).get(metric)
    if value is None:
        return ""
    return f"Its order agrees with that of exact ablation by {value:.2f} (rank correlation)."
