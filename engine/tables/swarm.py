"""The explanations of many rows at once, for a beeswarm (lundberg2020local)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from engine.attribution.background import MAX_TABLE_ROWS, load_background
from engine.attribution.method import Evidence, Method
from engine.attribution.method import Run as MethodRun
from engine.attribution.registry import find_method, methods
from engine.attribution.rows import per_column
from engine.errors import MethodError
from engine.execution.cost import Cost
from engine.inputs.tables import Table
from engine.models.loaded import LoadedModel
from engine.models.rows import Rows
from engine.parameters import Parameter, Value, check_all
from engine.table_results import Swarm as SwarmResult
from engine.tables.measure import Found, Measure, Run

# Methods whose values add up to the score's difference to a base; the first that suits is used.
ADDITIVE = (
    "integrated-gradients",
    "deep-lift",
    "gradient-shap",
    "kernel-shap",
    "shapley-sampling",
)
# What a method may call the number of its draws or steps.
_SAMPLES = ("steps", "samples", "permutations", "coalitions")
# Estimators that are no networks take more passes for each row, and each takes longer.
_OF_BLACK_BOXES = {"samples": 256, "background": 10}


class Swarm(Measure):
    """What each column adds to the score of each row, all rows held against the same background.

    Each row is explained as ``explain`` does it on its own, with the same seed.
    """

    name = "swarm"
    title = "Beeswarm of explanations"
    summary = "Explains many rows; each dot is a row, pushed to the left or right by its column."
    result = SwarmResult
    parameters = (
        Parameter(
            "method", "Method", "choice", ADDITIVE[0], "How rows are explained.", choices=ADDITIVE
        ),
        Parameter(
            "samples",
            "Samples or steps",
            "int",
            25,
            "What each row's explanation draws, or its steps, where the method has such; no "
            "fewer than the method needs.",
            low=2,
            high=10_000,
        ),
        Parameter(
            "background",
            "Background",
            "int",
            20,
            "Rows of the table that all rows are held against.",
            low=1,
            high=MAX_TABLE_ROWS,
        ),
    )
    paper = "lundberg2020local"
    caveat = (
        "Tells what the score of each row rests on, not what is true. Columns that go together "
        "share their credit in a way that depends on the method."
    )
    unit = "{number}, difference to the base"
    most_rows = 500
    limit = 5000

    def parameters_for(self, model: LoadedModel | None) -> tuple[Parameter, ...]:
        """The additive methods that are there and suit the model."""
        method, samples, background = self.parameters
        if model is None:
            return self.parameters
        known = methods()
        suited = [n for n in ADDITIVE if n in known and known[n].refusal(model) is None]
        if not suited:
            raise MethodError(f"no additive method suits {model.card.title}")
        if not model.differentiable:
            samples = replace(samples, default=_OF_BLACK_BOXES["samples"])
            background = replace(background, default=_OF_BLACK_BOXES["background"])
        return replace(method, default=suited[0], choices=tuple(suited)), samples, background

    def cost(
        self,
        model: LoadedModel | None,
        rows: Rows,
        parameters: Mapping[str, Value],
        column: int | None = None,
    ) -> Cost:
        """Each row's explanation, and its score."""
        if model is None:
            return Cost()
        method, values = _method(model, parameters)
        each = method.cost(model, values, _background_rows(model, rows, parameters))
        return Cost(len(rows) * (1 + each.forward), len(rows) * each.backward)

    def measure(self, run: Run) -> Found:
        """Return values ``(rows, columns)`` in the unit of the score."""
        features = run.features()
        scores = run.scores(len(features), lambda start, stop: features[start:stop])
        values, bases, gaps = _explained(run, features, scores)
        told: dict[str, Any] = {
            "method": run.parameters["method"],
            "background": _background_rows(run.model, run.rows, run.parameters),
        }
        if bases:
            told["base"] = float(np.mean(bases))
        if gaps:
            told["gap"] = float(np.mean(gaps))
        return Found(
            {
                "values": values,
                "inputs": run.rows.cells,
                "rows": run.rows.numbers,
                "scores": scores.astype(np.float32),
            },
            told,
            {"method_title": find_method(str(run.parameters["method"])).title},
        )


def _method(model: LoadedModel, parameters: Mapping[str, Value]) -> tuple[Method, dict[str, Value]]:
    """Return the method of attribution, and a value for each of its parameters."""
    found = find_method(str(parameters["method"]))
    declared = found.parameters_for(model)
    asked = {p.name: _within(p, int(parameters["samples"])) for p in declared if p.name in _SAMPLES}
    return found, check_all(asked, declared, found.name)


def _background_rows(model: LoadedModel, rows: Rows, parameters: Mapping[str, Value]) -> int:
    """Return how many rows a row is held against; 0 where the method takes none."""
    takes = find_method(str(parameters["method"])).accepts_background(model)
    return min(rows.of, int(parameters["background"])) if takes else 0


def _within(parameter: Parameter, value: int) -> int:
    """Bring a number into a parameter's range."""
    low = value if parameter.low is None else max(value, int(parameter.low))
    return low if parameter.high is None else min(low, int(parameter.high))


def background_of(table: Table, rows: int, seed: int) -> Table:
    """Return the rows of a table that all rows are held against."""
    return table.sampled(rows, seed)


def _explained(
    run: Run, features: torch.Tensor, scores: np.ndarray
) -> tuple[np.ndarray, list[float], list[float]]:
    """Explain row by row.

    Returns:
        float32 ``(rows, columns)``; the base of each row and the part of its score that the
        values miss, where the method tells them.
    """
    method, values = _method(run.model, run.parameters)
    background = None
    if method.accepts_background(run.model):
        table = background_of(run.table, int(run.parameters["background"]), run.seed)
        background = load_background(run.model, table, run.seed)
    prepared = None if background is None else background.prepared(run.model, run.passes.check)
    found, bases, gaps = [], [], []
    held = run.model.ready() if method.hooks else nullcontext()
    with torch.enable_grad(), held:
        for index, score in enumerate(scores):
            one = MethodRun(
                run.model,
                features[index : index + 1],
                run.readout,
                values,
                run.seed,
                run.passes,
                run.chunks,
                background=prepared,
                background_size=len(run.table),
            )
            evidence = method.attribute(one)
            folded = per_column(evidence.values.detach(), run.rows.spec)
            found.append(folded.float().cpu().numpy())
            base, gap = _base(evidence, float(score))
            bases += [] if base is None else [base]
            gaps += [] if gap is None else [gap]
    return np.stack(found), bases, gaps


def _base(evidence: Evidence, score: float) -> tuple[float | None, float | None]:
    """Return the score that the values are added to, and |what they miss|, if they are told."""
    checked = evidence.told.get("completeness") or {}
    base, gap = evidence.told.get("base"), checked.get("gap")
    if base is None and "difference" in checked:
        base = score - checked["difference"]
    return base if base is None else float(base), gap if gap is None else abs(float(gap))
