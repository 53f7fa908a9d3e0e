"""Whether a model works here: one prediction and one map, on a picture at hand."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch

from engine.attribution.explain import explain
from engine.attribution.method import Method
from engine.attribution.registry import methods_for
from engine.errors import ModelError
from engine.execution.passes import Cancel, Progress
from engine.execution.predict import predict
from engine.inputs.images import ImageInput
from engine.inputs.samples import SAMPLE
from engine.models.loaded import LoadedModel, ModelInput
from engine.results import Attribution, Prediction

_FEW_PASSES = 8
_TOLD = {"digits": "a handwritten {}", "scenes": "a scene with a {}"}
_BY_CHANCE = "; the dropout that stays on in its forward may be why, so try again"
_FLAT = 0.1  # our definition: a map whose values differ by less of the largest says nothing


@dataclass(frozen=True, eq=False)
class SelfTest:
    """What a model did when it was tried.

    Attributes:
        prediction: what it says of the sample.
        attribution: the map of its first quick method.
        given: the sample: an image, a row, or a prepared tensor of noise.
        seconds: wall time of both.
        warnings: what looks wrong, one line each.
    """

    prediction: Prediction
    attribution: Attribution
    given: ModelInput
    seconds: float
    warnings: tuple[str, ...] = ()

    @property
    def sample_told(self) -> str:
        """What it was tried on, as a person would say: "a handwritten 0", "noise"."""
        given = self.given
        name = str(getattr(given, "name", None) or "noise")
        if not isinstance(given, ImageInput) or given.truth is None or not given.truth.label:
            return name
        home = given.origin.removeprefix(SAMPLE).partition("/")[0]
        if not given.origin.startswith(SAMPLE) or home.partition("-")[0] not in _TOLD:
            return name
        return _TOLD[home.partition("-")[0]].format(given.truth.label)


def self_test(
    model: LoadedModel,
    sample: ModelInput | None = None,
    *,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> SelfTest:
    """Ask a model for one prediction and one map.

    Args:
        model: the model.
        sample: what to try it on; noise where none is given.
        progress, cancel: as in ``explain``.

    Raises:
        ModelError: it does not run, or no method takes it.
        InputError: a sample that it does not take.
        Cancelled: the caller asked to stop.
    """
    started = time.perf_counter()
    given = _noise(model) if sample is None else model.load_input(sample)
    prediction = predict(model, given)
    method = _quick_method(model)
    attribution = explain(
        model, given, method.name, prediction.best, progress=progress, cancel=cancel
    )
    seconds = time.perf_counter() - started
    return SelfTest(prediction, attribution, given, seconds, _warnings(model, attribution))


def _noise(model: LoadedModel) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn((1, *model.spec.shape), generator=generator)


def _quick_method(model: LoadedModel) -> Method:
    """Return the method shown first of those that need only a few passes; else the cheapest."""
    suited = methods_for(model)
    if not suited:
        raise ModelError(f"no method takes {model.card.title}")
    costs = [
        method.cost(model, {p.name: p.default for p in method.parameters_for(model)}).total
        for method in suited
    ]
    quick = [method for method, cost in zip(suited, costs, strict=True) if cost <= _FEW_PASSES]
    return quick[0] if quick else suited[int(np.argmin(costs))]


def _warnings(model: LoadedModel, attribution: Attribution) -> tuple[str, ...]:
    values = attribution.values
    largest = float(np.abs(values).max())
    if largest == 0:
        told = "the map is zero everywhere: for this class, on this sample, it does not depend on "
        random = any("dropout" in note for note in model.card.notes)
        return (f"{told}the input{_BY_CHANCE if random else ''}",)
    if values.ndim > 1 and float(np.ptp(values)) < _FLAT * largest:
        return ("the map is the same nearly everywhere: it names no place in the picture",)
    return ()
