"""What a finding about columns tells beside its numbers: names, titles, units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.inputs.tables import Table
from engine.models.loaded import LoadedModel
from engine.models.outputs import Readout
from engine.models.rows import Rows
from engine.models.table_specs import TableSpec
from engine.tables.measure import Measure

if TYPE_CHECKING:
    from engine.tables.measuring import MeasurePlan


def display_of(plan: MeasurePlan) -> dict[str, Any]:
    """Return what every finding has in its display."""
    spec = plan.rows.spec
    number = number_told(plan.model, plan.readout)
    told: dict[str, Any] = {
        "columns": list(spec.names),
        "titles": list(spec.titles),
        "unit": plan.measure.unit.format(number=number or "the output"),
        "task": spec.task,
        "categories": categories_of(spec),
        "number": number,
        "target_by_default": plan.by_default,
    }
    if plan.column is not None:
        column = spec.columns[plan.column]
        told |= {"column": column.name, "column_title": column.told, "column_unit": column.unit}
        told["categories"] = list(column.categories)
    return told


def source_of(
    measure: Measure, model: LoadedModel | None, table: Table, rows: Rows
) -> dict[str, Any]:
    """Return names a person would know; they decide nothing."""
    return {
        "model": "" if model is None else model.ref,
        "model_title": "" if model is None else model.card.title,
        "measure": measure.name,
        "measure_title": measure.title,
        "table": table.name,
        "table_origin": table.origin,
        "table_notes": [*table.notes, *rows.notes],
    }


def number_told(model: LoadedModel | None, readout: Readout | None) -> str:
    """Say which number is explained: "probability of malignant"; of a regression its name."""
    if model is None or readout is None:
        return ""
    name = model.classes[readout.target]
    if readout.activation == "identity":
        return name
    return f"{readout.output} of {name}"


def categories_of(spec: TableSpec) -> dict[str, list[str]]:
    """Return the categories of each column that has some."""
    return {c.name: list(c.categories) for c in spec.columns if c.kind == "category"}
