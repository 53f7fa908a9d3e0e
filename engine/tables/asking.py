"""From what a caller asks for to the request: all that decides the numbers."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from engine.errors import MethodError
from engine.execution.chunks import default_chunk
from engine.inputs.tables import Table
from engine.manifest import SCHEMA, versions
from engine.models.classes import resolve_class
from engine.models.fitting_labels import with_labels
from engine.models.learning_columns import learn_columns
from engine.models.loaded import LoadedModel
from engine.models.outputs import Output, Readout
from engine.models.rows import Rows
from engine.models.table_specs import TableSpec
from engine.parameters import Value
from engine.tables.measure import Measure


def spec_for(
    measure: Measure, model: LoadedModel | None, table: Table, label: str | None
) -> TableSpec:
    """Return the columns that are read: the model's, or those learned from the table itself.

    A model that does not say what stands in the label's column for its outcomes is taken to
    mean its class names; of one logit "0" and "1" (our definition).

    Raises:
        MethodError: the measure asks a model, and there is none.
        ModelError: the model takes no tables.
        InputError: nothing can be learned from the table.
    """
    if model is None:
        if measure.needs_model:
            raise MethodError(f"{measure.title} asks a model; name one")
        return learn_columns(table, label)
    spec = model.table_spec
    return with_labels(spec, model.classes)


def readout_for(
    measure: Measure,
    model: LoadedModel | None,
    target: int | str | None,
    output: Output | None,
) -> tuple[Readout | None, bool]:
    """Return the number that is explained, and whether its class was chosen by default.

    The default is the only class; of two the second, of more the first (our definition).

    Raises:
        TargetError: an unknown class, or the probability of a regression.
        MethodError: a target for a measure that explains no single number.
    """
    if not measure.takes_target or model is None:
        if target is not None:
            raise MethodError(f"{measure.title} takes no target")
        return None, False
    index = int(len(model.classes) == 2)
    if target is not None:
        index = resolve_class(target, model.classes)
    usual: Output = "logit" if model.activation == "identity" else "probability"
    return Readout(index, None, output or usual, model.activation), target is None


def request_of(
    measure: Measure,
    model: LoadedModel | None,
    table: Table,
    rows: Rows,
    readout: Readout | None,
    parameters: dict[str, Value],
    column: str | None,
    seed: int,
) -> dict[str, Any]:
    """Return all that decides the numbers, ready for ``key_of``."""
    return {
        "schema": SCHEMA,
        "kind": measure.result.kind,
        "model": None if model is None else model.describe(),
        "preprocessing": rows.spec.describe(),
        "classes": None if model is None else model.classes_digest,
        "table": table.digest,
        "label": rows.label,
        "measure": {"name": measure.name, "parameters": parameters, "column": column},
        "target": _target(model, readout),
        "output": None if readout is None else readout.output,
        "seed": seed,
        "rows": len(rows) + rows.unlabelled,
        "device": "cpu" if model is None else model.device.type,
        "dtype": "float32" if model is None else model.dtype,
        "chunk": None if model is None else default_chunk(model),
        "versions": _versions(measure, model),
    }


def _versions(measure: Measure, model: LoadedModel | None) -> dict[str, str]:
    beside = {name: version(name) for name in measure.packages}
    return {**versions(), **beside, **({} if model is None else model.packages)}


def _target(model: LoadedModel | None, readout: Readout | None) -> dict[str, Any] | None:
    if model is None or readout is None:
        return None
    return {"index": readout.target, "name": model.classes[readout.target]}
