"""``mask_sweep``: ever more of a map's top removed, or kept, in one batched sweep."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.errors import ParameterError, nearest
from engine.execution.passes import Cancel, Progress
from engine.manifest import digest_of, key_of
from engine.mask_results import MaskSweep
from engine.masking.generators.checking import check_seed
from engine.missingness.asking import request_for, suited_fill
from engine.missingness.grids import extent
from engine.missingness.guides import check_explains, scores_of
from engine.missingness.sweeping import DIRECTIONS, Direction, SweepPlan
from engine.models.loaded import Given, LoadedModel
from engine.models.loading import load_model
from engine.results import Attribution

MOST = 1000


def plan_sweep(
    model: Any,
    image: Any,
    attribution: Attribution | np.ndarray,
    fill: str = "mean",
    *,
    levels: int = 100,
    direction: Direction = "both",
    seed: int = 0,
) -> SweepPlan:
    """Check a request and return what it would be known by and cost, without computing it.

    Arguments and errors as in ``mask_sweep``.
    """
    loaded = load_model(model)
    if direction not in DIRECTIONS:
        raise ParameterError(f"no direction {direction!r}; {nearest(str(direction), DIRECTIONS)}")
    if isinstance(levels, bool) or not isinstance(levels, int) or not 1 <= levels <= MOST:
        raise ParameterError(f"levels={levels!r}: expected a whole number from 1 to {MOST}")
    check_seed(seed)
    given = loaded.load_input(image)
    chosen = suited_fill(loaded, fill, seed, given)
    order = _order(_scores(loaded, given, attribution))
    steps = min(levels, order.size)
    request = request_for(
        loaded,
        given,
        MaskSweep.kind,
        chosen,
        order=digest_of(repr(order.shape).encode(), order.data),
        levels=steps,
        direction=direction,
        seed=seed,
    )
    title = ""
    if isinstance(attribution, Attribution):
        title = attribution.manifest.get("source", {}).get("method_title", "")
    return SweepPlan(
        loaded, given, order, chosen, steps, direction, title, request, key_of(request)
    )


def mask_sweep(
    model: Any,
    image: Any,
    attribution: Attribution | np.ndarray,
    fill: str = "mean",
    *,
    levels: int = 100,
    direction: Direction = "both",
    seed: int = 0,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> MaskSweep:
    """Remove, or keep, ever more of what a map calls most important.

    Args:
        model: a loaded model, a reference, or an ``nn.Module``.
        image: the input that the map explains.
        attribution: the map, whose highest values come first (of equals the first, row by row);
            or scores in hand, ``(height, width)`` of the model's input, or one for each column.
        fill: a fill's name.
        levels: steps from nothing to all; no more than pixels or columns are taken.
        direction: "remove" the top share (deletion), "keep" nothing but it (insertion), or
            "both" in one sweep.
        seed: of a fill that draws.
        progress: called with passes done and passes promised.
        cancel: an object with ``is_set()``, looked at before every pass.

    Returns:
        Logits and probabilities of all classes at shares 0, 1/levels … 1.

    Raises:
        InputError: the map explains another input.
        MethodError, ModelError, ParameterError: one line each.
        Cancelled: the caller asked to stop.
        OutOfMemory: one sample at a time does not fit.
    """
    planned = plan_sweep(
        model, image, attribution, fill, levels=levels, direction=direction, seed=seed
    )
    return planned.run(progress, cancel)


def _scores(model: LoadedModel, given: Given, found: Attribution | np.ndarray) -> np.ndarray:
    """Return one number for each pixel or column, ``(rows, columns)``."""
    if isinstance(found, Attribution):
        check_explains(found, given)
        return scores_of(model, found)
    scores = np.asarray(found)
    scores = scores[None] if scores.ndim == 1 else scores
    wanted = extent(model)
    if scores.shape != wanted or scores.dtype.kind not in "iuf" or not np.isfinite(scores).all():
        raise ParameterError(
            f"scores are finite numbers of shape {wanted}; these are {scores.dtype} of "
            f"{np.shape(found)}"
        )
    return scores


def _order(scores: np.ndarray) -> np.ndarray:
    """Return the place of each in the order from the highest on, int32, same shape."""
    ranked = np.argsort(-scores.astype(np.float64), axis=None, kind="stable")
    order = np.empty(scores.size, dtype=np.int32)
    order[ranked] = np.arange(scores.size, dtype=np.int32)
    return order.reshape(scores.shape)
