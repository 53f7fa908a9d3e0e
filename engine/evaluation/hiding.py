"""Hide what a map calls most important, and see what becomes of the prediction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from engine.execution.chunks import Chunks, default_chunk
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes, Progress
from engine.masking.fills.registry import find_fill
from engine.masking.predict import masked_outputs
from engine.models.loaded import LoadedModel, ModelInput
from engine.models.outputs import probabilities_of
from engine.results import Attribution

SHARE = 0.1
CONTROLS = 8


@dataclass(frozen=True)
class Hiding:
    """What hiding the top of a map does; our definition.

    Attributes:
        share: part of the picture that was hidden.
        before: probability of the target with nothing hidden.
        after: with the top of the map hidden.
        control: mean with the same shape hidden elsewhere.
        control_error: standard error of that mean.
        concentration: share of all evidence (of the map shown) that lies in the top.
    """

    share: float
    before: float
    after: float
    control: float
    control_error: float
    concentration: float


def hiding_cost() -> Cost:
    """Return the passes that ``hide_top`` uses."""
    return Cost(forward=CONTROLS + 2)


def hide_top(
    model: LoadedModel,
    given: ModelInput,
    attribution: Attribution,
    *,
    share: float = SHARE,
    fill: str = "blur",
    seed: int = 0,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Hiding:
    """Hide the top share of a map; for comparison, the same shape at random other places.

    Args:
        model, given: as they were explained.
        attribution: of a picture.
        share: of the picture's area, 0 … 1.
        fill: what stands in the hidden places.
        seed: of the places for comparison.
        progress, cancel: as in ``explain``.

    Raises:
        Cancelled: the caller asked to stop.
        MethodError: the fill does not suit the model.
    """
    found = find_fill(fill, seed)
    found.check_suits(model)
    x = model.prepare(given)
    rows, columns = x.shape[-2:]
    magnitude = attribution.manifest["display"]["view"] == "magnitude"
    importance = attribution.resized(rows, columns, magnitude=magnitude)
    keep = _masks(importance, share, seed)
    passes = Passes(model, hiding_cost(), progress, cancel)
    outputs = masked_outputs(
        passes,
        Chunks(default_chunk(model)),
        x,
        len(keep),
        lambda start, stop: torch.from_numpy(keep[start:stop, None]),
        found,
    )
    target = attribution.manifest["request"]["target"]["index"]
    probabilities = probabilities_of(outputs, model.activation)[:, target].double().cpu().numpy()
    controls = probabilities[2:]
    return Hiding(
        share=share,
        before=float(probabilities[0]),
        after=float(probabilities[1]),
        control=float(controls.mean()),
        control_error=float(controls.std(ddof=1) / np.sqrt(len(controls))),
        concentration=concentration(importance, share),
    )


def concentration(importance: np.ndarray, share: float = SHARE) -> float:
    """Return how much of the positive evidence lies in the top share of a map, 0 … 1."""
    positive = np.clip(importance.astype(np.float64), 0, None).ravel()
    total = positive.sum()
    top = np.sort(positive)[-_top_count(positive, share) :]
    return float(top.sum() / total) if total > 0 else 0.0


def _masks(importance: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Return keep masks ``(2 + CONTROLS, rows, columns)``: all kept, top hidden, controls."""
    order = np.argsort(-importance, axis=None, kind="stable")
    top = np.zeros(importance.size, dtype=bool)
    top[order[: _top_count(importance, share)]] = True
    hidden = [np.zeros_like(importance, dtype=bool), top.reshape(importance.shape)]
    for index in range(CONTROLS):
        draw = np.random.default_rng([seed, index])
        shift = [
            int(draw.integers(length // 4, length - length // 4)) for length in importance.shape
        ]
        hidden.append(np.roll(hidden[1], shift, axis=(0, 1)))
    return ~np.stack(hidden)


def _top_count(importance: np.ndarray, share: float) -> int:
    return max(1, round(share * importance.size))
