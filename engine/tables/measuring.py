"""``measure``: one call from a model, a table and a measure to what was found about columns."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import torch

from engine.execution.chunks import Chunks, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.environment import environment
from engine.execution.passes import Cancel, Progress
from engine.inputs.tables import Table, load_table
from engine.manifest import key_of
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.outputs import Output, Readout
from engine.models.rows import Rows, load_rows
from engine.parameters import Value, check_all, check_seed
from engine.table_results import Measured
from engine.tables.asking import readout_for, request_of, spec_for
from engine.tables.checking import check_rows, column_for, most_rows
from engine.tables.measure import Found, Measure, Run
from engine.tables.registry import find_measure
from engine.tables.showing import display_of, source_of
from engine.tables.steps import Steps


@dataclass(frozen=True, eq=False)
class MeasurePlan:
    """A finding that could be computed: what it will be known by, and its cost.

    Attributes:
        measure: what will run.
        model: the model, or None for measures that ask none.
        table: the whole table.
        rows: those of its rows that are looked at.
        column: the index of the column asked about, or None.
        readout: the number of the output that is explained, or None.
        parameters: a valid value for every parameter of the measure.
        seed: for whatever is drawn.
        by_default: whether nobody named the target.
        request: all that decides the numbers.
        key: its digest, the content key of the result.
        cost: an upper bound of the passes.
    """

    measure: Measure
    model: LoadedModel | None
    table: Table
    rows: Rows
    column: int | None
    readout: Readout | None
    parameters: dict[str, Value]
    seed: int
    by_default: bool
    request: dict[str, Any]
    key: str
    cost: Cost

    def run(self, progress: Progress | None = None, cancel: Cancel | None = None) -> Measured:
        """Compute.

        Args:
            progress: called with passes (and steps that are none) done and promised.
            cancel: an object with ``is_set()``, looked at before every pass and step.

        Raises:
            Cancelled: the caller asked to stop; the model is as it was.
            OutOfMemory: one sample at a time does not fit.
            ModelError: the network returns NaN or infinity, or the estimator fails.
        """
        started = time.perf_counter()
        steps = self.measure.steps(self.rows, self.parameters)
        passes = Steps(self.model, self.cost, steps, progress, cancel)
        run = Run(
            rows=self.rows,
            table=self.table,
            loaded=self.model,
            explained=self.readout,
            column=self.column,
            parameters=self.parameters,
            seed=self.seed,
            passes=passes,
            chunks=Chunks(self.request["chunk"] or 1),
        )
        passes.check()
        with telling_out_of_memory():
            found = self.measure.measure(run)
        manifest = self._manifest(run, found, time.perf_counter() - started)
        arrays: dict[str, Any] = found.arrays
        return self.measure.result(manifest=manifest, **arrays)

    def source(self) -> dict[str, Any]:
        """Return names a person would know; they decide nothing."""
        return source_of(self.measure, self.model, self.table, self.rows)

    def _manifest(self, run: Run, found: Found, seconds: float) -> dict[str, Any]:
        used = run.passes.used
        device = torch.device("cpu") if self.model is None else self.model.device
        return {
            "key": self.key,
            "request": self.request,
            "source": self.source(),
            "display": {**display_of(self), **found.display},
            "outcome": {
                "passes": {"forward": used.forward, "backward": used.backward},
                "seconds": seconds,
                "chunk": run.chunks.size,
                "rows": len(self.rows),
                "of": self.rows.of,
                "unlabelled": self.rows.unlabelled,
                "environment": environment(device),
                **found.told,
            },
        }


def plan_measure(
    model: Any,
    table: Any,
    name: str,
    *,
    column: str | None = None,
    label: str | None = None,
    target: int | str | None = None,
    output: Output | None = None,
    seed: int = 0,
    rows: int | None = None,
    **parameters: Any,
) -> MeasurePlan:
    """Check a request and return what it would be known by and cost, without computing it.

    Arguments and errors as in ``measure``.
    """
    found = find_measure(name)
    loaded = None if model is None else load_model(model)
    whole = load_table(table)
    spec = spec_for(found, loaded, whole, label)
    values = check_all(parameters, found.parameters_for(loaded), found.name)
    check_seed(seed)
    place = column_for(found, spec, column)
    readout, by_default = readout_for(found, loaded, target, output)
    reads_truth = found.needs_labels or found.takes_labels
    chosen = load_rows(whole, spec, most_rows(found, rows), seed, label, truth=reads_truth)
    check_rows(found, whole, chosen, spec.label)
    asked = None if place is None else spec.names[place]
    request = request_of(found, loaded, whole, chosen, readout, values, asked, seed)
    return MeasurePlan(
        measure=found,
        model=loaded,
        table=whole,
        rows=chosen,
        column=place,
        readout=readout,
        parameters=values,
        seed=seed,
        by_default=by_default,
        request=request,
        key=key_of(request),
        cost=found.cost(loaded, chosen, values, place),
    )


def measure(
    model: Any,
    table: Any,
    name: str,
    *,
    column: str | None = None,
    label: str | None = None,
    target: int | str | None = None,
    output: Output | None = None,
    seed: int = 0,
    rows: int | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    **parameters: Any,
) -> Measured:
    """Say which columns of a table matter.

    Args:
        model: a loaded model, a reference, an ``nn.Module`` or an estimator; None for measures
            that look at the data alone.
        table: a table, or anything ``load_table`` takes.
        name: a measure's name; ``measures()`` has them.
        column: of the effects of one column: which.
        label: the column with the truth; by default the one of the model's card.
        target: class index or name. By default the only one; of two the second, of more the
            first, which the manifest says.
        output: "probability" or "logit"; by default the probability, of a regression its value
            ("logit").
        seed: for what is drawn, the sample of a large table included.
        rows: how many rows to look at; each measure has a number of its own.
        progress: called with passes (and steps that are none) done and promised.
        cancel: an object with ``is_set()``, looked at before every pass and step.
        **parameters: of the measure.

    Returns:
        The kind of result that the measure declares, of ``engine.table_results``.

    Raises:
        InputError, ModelError, MethodError, ParameterError, TargetError: one line each.
        Cancelled: the caller asked to stop.
        OutOfMemory: one sample at a time does not fit.
    """
    planned = plan_measure(
        model,
        table,
        name,
        column=column,
        label=label,
        target=target,
        output=output,
        seed=seed,
        rows=rows,
        **parameters,
    )
    return planned.run(progress, cancel)
