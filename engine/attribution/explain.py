"""``explain``: one call from a model, an input and a method to an attribution."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from engine.attribution.background import Background, load_background
from engine.attribution.method import Evidence, Method, Run
from engine.attribution.registry import find_method
from engine.attribution.request import readout_of, request_of
from engine.attribution.rows import columns_told, per_column, row_told, table_of
from engine.errors import MethodError, ParameterError, one_line
from engine.execution.chunks import Chunks, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.environment import environment
from engine.execution.exhaustion import is_out_of_memory
from engine.execution.passes import Cancel, Passes, Progress
from engine.execution.predict import predict_prepared
from engine.manifest import key_of
from engine.masking.fills.registry import FILLS
from engine.models.loaded import Given, LoadedModel, ModelInput
from engine.models.loading import load_model
from engine.models.outputs import Output, Readout
from engine.parameters import Parameter, Value, check_all
from engine.results import Attribution, Manifest, Prediction

# The prediction that every explanation tells beside its map.
_PREDICTION = Cost(forward=1)

Partial = Callable[[Attribution], None]


@dataclass(frozen=True)
class Plan:
    """An explanation that could be computed: what it will be known by, and its cost.

    Attributes:
        model, method: what will run.
        given: the input as the caller has it: an image, a tensor or a row of a table.
        readout: the number of the output that is explained.
        parameters: a valid value for every parameter of the method.
        seed: for whatever is drawn.
        request: all that decides the numbers.
        key: the digest of the request, the content key of the result.
        cost: an upper bound of the passes.
        background: what the input is compared with, or None.
    """

    model: LoadedModel
    method: Method
    given: Given
    readout: Readout
    parameters: dict[str, Value]
    seed: int
    request: dict[str, Any]
    key: str
    cost: Cost
    background: Background | None = None

    @property
    def price(self) -> float:
        """How long one of its passes takes, in plain forward passes; see ``Method.price``."""
        return self.method.price(self.model, self.parameters)

    def run(
        self,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        partial: Partial | None = None,
    ) -> Attribution:
        """Compute.

        Args:
            progress, cancel, partial: as in ``explain``.

        Raises:
            Cancelled: the caller asked to stop; the model is as it was.
            OutOfMemory: one sample at a time does not fit.
            InputError: a picture of the background cannot be read.
        """
        started = time.perf_counter()
        passes = Passes(self.model, self.cost, progress, cancel)
        chunks = Chunks(self.request["chunk"])
        x = self.model.prepare(self.given)
        run = Run(self.model, x, self.readout, self.parameters, self.seed, passes, chunks)
        held = self.model.ready() if self.method.hooks else nullcontext()
        with telling_out_of_memory():
            prediction = predict_prepared(passes, x)
            if self.background is not None:
                run.background = self.background.prepared(self.model, passes.check)
                run.background_size = self.background.size
            if partial is not None:
                run.partial = self._partial(run, prediction, partial, started)
            with torch.enable_grad(), held, self._telling_failures():
                evidence = self.method.attribute(run)
        seconds = time.perf_counter() - started
        return self._attribution(run, evidence, prediction, seconds)

    @contextmanager
    def _telling_failures(self) -> Iterator[None]:
        """Say in one line what torch cannot do on the way back through a network."""
        try:
            yield
        except RuntimeError as error:
            if is_out_of_memory(error):
                raise
            told = f"{self.method.title} fails on {self.model.card.title}: {one_line(error)}"
            raise MethodError(told) from error

    def _partial(
        self, run: Run, prediction: Prediction, show: Partial, started: float
    ) -> Callable[[Evidence, int], None]:
        """Return what shows a method's evidence so far as an attribution, marked as partial."""

        def found(evidence: Evidence, samples: int) -> None:
            told = {**evidence.told, "samples": samples, "partial": True}
            so_far = Evidence(evidence.values, evidence.error, told)
            show(self._attribution(run, so_far, prediction, time.perf_counter() - started))

        return found

    def _attribution(
        self, run: Run, evidence: Evidence, prediction: Prediction, seconds: float
    ) -> Attribution:
        manifest: Manifest = {
            "key": self.key,
            "request": self.request,
            "source": self.source(),
            "display": {
                "fold": self.method.fold,
                "view": self.method.view,
                **columns_told(self.model.spec),
            },
            "outcome": {
                "passes": {
                    "forward": run.passes.used.forward,
                    "backward": run.passes.used.backward,
                },
                "seconds": seconds,
                "chunk": run.chunks.size,
                "environment": environment(self.model.device),
                "prediction": _prediction_told(prediction, self.readout),
                **evidence.told,
            },
        }
        error = None if evidence.error is None else _as_numpy(evidence.error)
        values = _as_numpy(per_column(evidence.values, self.model.spec))
        return Attribution(manifest=manifest, values=values, error=error)

    def source(self) -> dict[str, Any]:
        """Return names a person would know, and where to find the input; they decide nothing."""
        row = row_told(self.given, self.model.spec)
        changes = dict(getattr(self.given, "changes", {}))
        return {
            **({} if row is None else {"row": row}),
            "model": self.model.ref,
            "model_title": self.model.card.title,
            "method_title": self.method.title,
            "input": getattr(self.given, "name", "tensor"),
            "input_origin": getattr(self.given, "origin", ""),
            **({"input_changes": changes} if changes else {}),
            "background_origin": "" if self.background is None else self.background.origin,
            "input_notes": list(getattr(self.given, "notes", ())),
        }


def plan(
    model: LoadedModel | str | torch.nn.Module,
    given: ModelInput,
    method: str,
    target: int | str | None = None,
    *,
    versus: int | str | None = None,
    output: Output = "logit",
    background: Any = None,
    data: Any = None,
    seed: int = 0,
    **parameters: Any,
) -> Plan:
    """Check a request and return what it would be known by and cost, without computing it.

    Arguments and errors as in ``explain``. Without a target, one forward pass is run to
    find the predicted class.
    """
    loaded = load_model(model)
    found = find_method(method)
    found.check_suits(loaded)
    takes = {"background": found.accepts_background(loaded), "data": False}
    for name, value in (("background", background), ("data", data)):
        if value is not None and not takes[name]:
            raise MethodError(f"{found.title} takes no {name}")
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ParameterError(f"seed={seed!r}: expected a whole number")
    declared = found.parameters_for(loaded)
    _check_fill(loaded, declared, parameters.get("fill"))
    values = check_all(parameters, declared, found.name)
    source = loaded.load_input(given)
    readout = readout_of(loaded, source, target, versus, output)
    if background is None and found.accepts_background(loaded):
        background = table_of(source)
    others = None if background is None else load_background(loaded, background, seed)
    request = request_of(loaded, source, found, values, readout, seed)
    request["background"] = None if others is None else others.digest
    rows = 0 if others is None else len(others.chosen)
    cost = found.cost(loaded, values, rows) + _PREDICTION
    key = key_of(request)
    return Plan(loaded, found, source, readout, values, seed, request, key, cost, others)


def _check_fill(model: LoadedModel, declared: Sequence[Parameter], fill: Any) -> None:
    """Say why a fill does not suit a model, rather than only which ones do."""
    if any(one.name == "fill" for one in declared) and isinstance(fill, str) and fill in FILLS:
        FILLS[fill].check_suits(model)


def explain(
    model: LoadedModel | str | torch.nn.Module,
    input: ModelInput,  # noqa: A002  (the public name, fixed by the design)
    method: str,
    target: int | str | None = None,
    *,
    versus: int | str | None = None,
    output: Output = "logit",
    background: Any = None,
    data: Any = None,
    seed: int = 0,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    partial: Partial | None = None,
    **parameters: Any,
) -> Attribution:
    """Say how much each part of an input speaks for a class.

    Args:
        model: a loaded model, a reference, or an ``nn.Module``.
        input: an image, anything ``load_image`` takes, or a prepared tensor ``(1, …)``.
        method: a method's name; ``engine.methods()`` has them.
        target: class index or name; by default the predicted class.
        versus: explain the difference to this class: why target and not this one.
        output: "logit" or "probability".
        background: for methods that compare with other inputs: prepared inputs ``(n, …)``,
            pictures in a list, an image set (of more than 64, 64 are drawn), or a table (of
            more than 100 rows, 100). A row of a table is compared with its table by default.
        data: for methods that learn from a table.
        seed: for methods that draw.
        progress: called with passes done and passes promised.
        cancel: an object with ``is_set()``, looked at before every pass.
        partial: called with what was found so far, by methods that draw samples: after an
            eighth, a quarter and half of them. Its manifest tells "samples" and "partial",
            its key is that of the finished result, and it decides no number.
        **parameters: of the method.

    Returns:
        An ``Attribution``: float32 values of the shape of the prepared input without its
        batch axis; of the layer's grid ``(rows, columns)`` for class activation maps; one
        value for each column, ``(columns,)``, for rows of a table.

    Raises:
        ModelError, InputError, MethodError, ParameterError, TargetError: one line each.
        Cancelled: the caller asked to stop.
        OutOfMemory: one sample at a time does not fit.
    """
    planned = plan(
        model,
        input,
        method,
        target,
        versus=versus,
        output=output,
        background=background,
        data=data,
        seed=seed,
        **parameters,
    )
    return planned.run(progress, cancel, partial)


def _prediction_told(prediction: Prediction, readout: Readout) -> dict[str, Any]:
    best = prediction.best
    return {
        "index": best,
        "name": prediction.classes[best],
        "probability": float(prediction.probabilities[best]),
        "target_probability": float(prediction.probabilities[readout.target]),
        "target_logit": float(prediction.logits[readout.target]),
    }


def _as_numpy(values: torch.Tensor) -> Any:
    return values.detach().float().cpu().contiguous().numpy()
