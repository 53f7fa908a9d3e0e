"""What the columns of one row add, in order: from the base value to the prediction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from components import facts, fitting, saying
from components.facts import Facts
from engine.errors import ResultError
from engine.results import Attribution

_WORTH_A_BAR = 0.01  # of the difference; less is not shown as left over


@dataclass(frozen=True, eq=False)
class Waterfall:
    """The way from base to prediction: base + values + residual = end.

    Attributes:
        order: int64 ``(columns,)``: places of the columns, the largest |value| first.
        labels: "Worst area = 880 mm²", in that order.
        values: float64 ``(columns,)``, in that order, in units of the number explained.
        base, end: where it begins and ends.
        residual: what the method did not share out.
        error: standard errors, float64 ``(columns,)`` in that order, or None.
        hovers: the same as the labels, uncut.
        begins_at: what the base is the number of: "average row".
        facts: how to speak of the numbers.
    """

    order: np.ndarray
    labels: tuple[str, ...]
    values: np.ndarray
    base: float
    end: float
    residual: float
    error: np.ndarray | None
    hovers: tuple[str, ...]
    begins_at: str
    facts: Facts

    @property
    def left_over(self) -> bool:
        """Whether the residual is worth showing: over 1 % of the difference (our definition)."""
        return abs(self.residual) > _WORTH_A_BAR * abs(self.end - self.base)


def has_base(attribution: Attribution) -> bool:
    """Whether the method adds up from a base value; else draw ``column_bars``."""
    return attribution.manifest["outcome"].get("base") is not None


def waterfall_of(attribution: Attribution) -> Waterfall:
    """Order what the columns add, the largest first.

    Raises:
        ResultError: the method tells no base value.
    """
    if not has_base(attribution):
        raise ResultError("the method tells no base value that the columns add up from")
    told = facts.facts_of(attribution)
    outcome = attribution.manifest["outcome"]
    values = attribution.values.astype(np.float64)
    order = np.argsort(-np.abs(values), kind="stable")
    row = attribution.manifest["source"]["row"]
    cells = [told.cell(place, row.get(told.columns[place])) for place in order]
    titles = [told.titles[place] for place in order]
    base = float(outcome["base"])
    difference = _difference(outcome["completeness"])
    return Waterfall(
        order=order,
        labels=tuple(fitting.label(*both) for both in zip(titles, cells, strict=True)),
        values=values[order],
        base=base,
        end=base + difference,
        residual=difference - float(values.sum()),
        error=None if attribution.error is None else attribution.error.astype(np.float64)[order],
        hovers=tuple(f"{t} = {c}" for t, c in zip(titles, cells, strict=True)),
        begins_at=begins_at(attribution),
        facts=told,
    )


def begins_at(attribution: Attribution) -> str:
    """Say what the base is the number of: one average row, or many rows on average.

    A linear model that was fitted has a base of its own.
    """
    if "residual" in attribution.manifest["outcome"]["completeness"]:
        return "base of the fit"
    compared = attribution.manifest["outcome"].get("background") or {}
    if compared.get("fills") or compared.get("rows", 1) <= 1:
        return "average row"
    return f"average of {saying.number(compared['rows'], 9)} rows"


def _difference(completeness: Mapping[str, float]) -> float:
    """Return what leads from the base to the prediction.

    A fit that does not begin at the mean of the background tells what it misses ("residual").
    """
    if "residual" in completeness:
        return float(completeness["sum"]) + float(completeness["residual"])
    return float(completeness["difference"])
