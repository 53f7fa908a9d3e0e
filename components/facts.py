"""What the manifest of a finding about a table says of its columns and of its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from components import fitting, saying
from engine.results import Result

Kind = Literal["probability", "score", "value"]


@dataclass(frozen=True)
class Facts:
    """How to speak of the columns and the numbers of a result.

    Attributes:
        kind: of number explained: "probability" of an outcome, its "score" (logit), or the
            "value" that a regression foretells.
        target: the outcome, or what the regression foretells; "" where nothing is named.
        versus: the outcome it is held against, or "".
        columns, titles, units: of the columns, in the model's order.
        categories: the names of each category, by column.
        measure: name of the measure or method.
        unit: of the values, in words, or "".
    """

    kind: Kind
    target: str = ""
    versus: str = ""
    columns: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    categories: Mapping[str, Sequence[str]] = field(default_factory=dict)
    measure: str = ""
    unit: str = ""

    @property
    def noun(self) -> str:
        """What is explained, within a sentence: "the probability of malignant"."""
        if self.kind == "value":
            return f"the {saying.inside(self.target)}" if self.target else "the prediction"
        what = "probability" if self.kind == "probability" else "score"
        if not self.target:
            return f"the {what}"
        than = f" minus that of {saying.named(self.versus)}" if self.versus else ""
        return f"the {what} of {saying.named(self.target)}{than}"

    @property
    def factor(self) -> float:
        """By what changes are multiplied to be drawn: probabilities in points."""
        return 100.0 if self.kind == "probability" else 1.0

    @property
    def axis(self) -> str:
        """Title of an axis on which the explained number is drawn as it is."""
        return fitting.axis(self.noun.removeprefix("the "))

    @property
    def narrow_axis(self) -> str:
        """The same, where labels beside the bars leave little room."""
        return fitting.axis(self.noun.removeprefix("the "), 150.0)

    @property
    def suffix(self) -> str:
        """What follows the numbers on that axis."""
        return " %" if self.kind == "probability" and not self.versus else ""

    @property
    def changes(self) -> str:
        """What changes are: "effect on malignant, in points"."""
        points = ", in points" if self.kind == "probability" else ""
        if self.versus or not self.target:
            return f"effect on {self.noun}{points}"
        what = saying.named(self.target) if points else self.noun.removeprefix("the ")
        return f"effect on {what}{points}"

    @property
    def axis_of_changes(self) -> str:
        """Title of an axis on which changes are drawn, times ``factor``."""
        return fitting.axis(self.changes)

    def level(self, value: float) -> str:
        """Say the explained number: "92 %", "2.4", "152"; of two outcomes "+40 points"."""
        if self.kind != "probability":
            return saying.number(value)
        return f"{self.step(value)} points" if self.versus else saying.share(value)

    def step(self, change: float) -> str:
        """Say a change with its sign and no unit, for labels: "+12", "−0.21"."""
        return saying.signed(self._rounded(change))

    def change(self, size: float) -> str:
        """Say the size of a change: "12 points", "0.21"."""
        told = saying.number(self._rounded(abs(size)), 2)
        if self.kind != "probability":
            return told
        return f"{told} point{'' if told == '1' else 's'}"

    def cell(self, place: int, value: Any) -> str:
        """Say what stands in a column, by the column's place; names of categories for codes."""
        names = self.categories.get(self.columns[place])
        if names is not None and not isinstance(value, str) and value is not None:
            return names[int(value)] if np.isfinite(value) else "empty"
        return saying.cell(value, self.units[place])

    def _rounded(self, change: float) -> float:
        """Points are not told finer than hundredths."""
        return round(100 * change, 2) if self.kind == "probability" else change


def facts_of(result: Result) -> Facts:
    """Read a manifest; what it does not say is left out."""
    request, display = result.manifest["request"], result.manifest["display"]
    read = {c["name"]: c for c in request.get("preprocessing", {}).get("columns", ())}
    columns = tuple(display["columns"])
    told = display.get("units") or [read.get(name, {}).get("unit", "") for name in columns]
    of_columns = {name: c["categories"] for name, c in read.items() if c.get("categories")}
    categories = {**of_columns, **_categories(display)}
    target, versus = request.get("target"), request.get("versus")
    name = request.get("measure") or request.get("method") or {}
    return Facts(
        kind=_kind(request, display),
        target=str(target["name"]) if target else "",
        versus=str(versus["name"]) if versus else "",
        columns=columns,
        titles=tuple(display.get("titles", columns)),
        units=tuple(str(unit or "") for unit in told),
        categories=categories,
        measure=str(name.get("name", "")),
        unit=str(display.get("unit") or ""),
    )


def _kind(request: Mapping[str, Any], display: Mapping[str, Any]) -> Kind:
    task = display.get("task") or request.get("preprocessing", {}).get("task")
    if request.get("output") == "probability":
        return "probability"
    return "value" if task == "regression" else "score"


def _categories(display: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Effects name the categories of one column, other findings those of all by column."""
    found = display.get("categories") or {}
    if not isinstance(found, Mapping):
        found = {display["column"]: found}
    return {str(name): list(names) for name, names in found.items() if names}
