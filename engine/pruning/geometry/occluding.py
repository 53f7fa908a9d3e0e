"""Which pixels a measure at the classifier comes from, and its change between two networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch

from engine.attribution.occlusion import (
    Occlusion,
    Window,
    keep_windows,
    mean_over_windows,
    windows_over,
)
from engine.errors import InputError, ParameterError, nearest
from engine.execution.chunks import Chunks, chunk_for, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes, Progress
from engine.masking.fills.fill import Fill
from engine.masking.fills.registry import find_fill
from engine.masking.predict import masked_outputs
from engine.models.loaded import LoadedModel, ModelInput
from engine.models.specs import ImageSpec
from engine.parameters import Value, check_all
from engine.pruning.geometry.classifier import features_of, find_classifier
from engine.pruning.geometry.measures import MEASURES, measures_at


@dataclass(frozen=True, eq=False)
class MeasureMap:
    """How far a measure falls where a window hides a place.

    Attributes:
        before, after: float32 ``(height, width)``, of each network: mean over the windows that
            cover a pixel of the measure less what it is with the window.
        value_before, value_after: the measure with nothing hidden.
        measure: "angle" (degrees), "norm" or "margin".
        label: the class y.
    """

    before: np.ndarray
    after: np.ndarray
    value_before: float
    value_after: float
    measure: str
    label: int

    @property
    def change(self) -> np.ndarray:
        """What each pixel adds to the change from before to after, float32 ``(height, width)``."""
        return np.asarray(self.after - self.before)


def occlusion_cost(model: LoadedModel, parameters: Mapping[str, Value] | None = None) -> Cost:
    """Return the passes over both networks together."""
    method = Occlusion()
    one = method.cost(model, _parameters(model, parameters))
    return one + one


def measure_map(
    before: LoadedModel,
    after: LoadedModel,
    given: ModelInput,
    measure: str = "margin",
    label: int | None = None,
    *,
    parameters: Mapping[str, Value] | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> MeasureMap:
    """Hide one window of a picture after the other, and see what a measure does in two networks.

    Args:
        before, after: networks of the same input and classes; each ends in a linear layer.
        given: a picture.
        measure: "angle", "norm" or "margin".
        label: class y; by default the one that the first network names.
        parameters: window, stride and fill, as those of the method "occlusion".
        progress, cancel: as everywhere.

    Raises:
        ParameterError: an unknown measure, or parameters out of range.
        InputError: networks that take no pictures, or pictures of different sizes.
        ModelError: a network does not end in a linear layer.
        Cancelled: the caller asked to stop.
    """
    if measure not in MEASURES:
        raise ParameterError(f"no measure {measure!r}; {nearest(measure, MEASURES)}")
    if not isinstance(before.spec, ImageSpec) or after.spec.shape != before.spec.shape:
        raise InputError(
            f"{before.card.title} takes {before.spec.shape}, {after.card.title} "
            f"{after.spec.shape}: two networks for pictures of the same size are compared"
        )
    values = _parameters(before, parameters)
    rows, columns = before.spec.shape[-2:]
    windows = windows_over(rows, columns, values)
    fill = find_fill(str(values["fill"]))
    if fill.inside:
        raise ParameterError(f"fill={fill.name!r} works inside the network; choose one that paints")
    promised = occlusion_cost(before, parameters)
    asked, done = label, Cost()
    found: list[np.ndarray] = []
    for model in (before, after):
        classifier = find_classifier(model)
        passes = Passes(features_of(model, classifier), promised, progress, cancel)
        passes.rewind(done)
        features = _hidden(passes, model.prepare(given), windows, fill)
        done = passes.used
        if asked is None:
            asked = int(classifier.logits(features[:1]).argmax())
        labels = np.full(len(features), asked)
        found.append(getattr(measures_at(classifier, features, labels), measure))
    first, second = (_map(one, windows, rows, columns) for one in found)
    assert asked is not None
    return MeasureMap(first, second, float(found[0][0]), float(found[1][0]), measure, asked)


def _parameters(model: LoadedModel, given: Mapping[str, Value] | None) -> dict[str, Value]:
    method = Occlusion()
    return check_all(dict(given or {}), method.parameters_for(model), method.name)


def _hidden(passes: Passes, x: torch.Tensor, windows: list[Window], fill: Fill) -> np.ndarray:
    """Return what comes to the classifier with nothing hidden, then with each window."""
    keep = keep_windows(windows, *x.shape[-2:])
    with telling_out_of_memory():
        chunks = Chunks(chunk_for(passes.model))
        outputs = masked_outputs(passes, chunks, x, len(windows) + 1, keep, fill)
    return outputs.float().cpu().numpy()


def _map(values: np.ndarray, windows: list[Window], rows: int, columns: int) -> np.ndarray:
    drops = torch.from_numpy(values[0] - values[1:])
    return mean_over_windows(drops, windows, rows, columns).float().numpy()
