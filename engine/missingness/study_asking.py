"""From what a caller asks for to a plan of a study."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from engine.attribution.registry import find_method, methods_for
from engine.errors import InputError, MethodError, ParameterError, nearest
from engine.execution.chunks import chunk_for
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Progress
from engine.inputs.image_sets import ImageSet
from engine.manifest import SCHEMA, versions
from engine.mask_results import MissingnessStudy
from engine.masking.fills.registry import fills_for
from engine.missingness.asking import suited_fill
from engine.missingness.cells import CELL_KINDS, ORDERS, CellKind, Order
from engine.missingness.grids import checked_grid
from engine.missingness.looking import Ways
from engine.missingness.study import StudyPlan
from engine.models.image_labels import NONE, match_labels
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.parameters import check_all

SHARES = tuple(step / 10 for step in range(11))


def plan_study(
    model: LoadedModel | str | torch.nn.Module,
    images: ImageSet,
    *,
    fills: Sequence[str] = (),
    order: Order = "random",
    cells: CellKind = "blocks",
    grid: Any = None,
    shares: Sequence[float] = SHARES,
    saliency: str = "",
    count: int | None = None,
    seed: int = 0,
    **parameters: Any,
) -> StudyPlan:
    """Check a study and return what it would be known by and cost, without making it.

    Arguments and errors as in ``missingness_study``.
    """
    loaded = load_model(model)
    check_model(loaded)
    chosen = check_fills(loaded, fills)
    for name, value, known in (("order", order, ORDERS), ("cells", cells, CELL_KINDS)):
        if value not in known:
            raise ParameterError(f"no {name} {value!r}; {nearest(str(value), known)}")
    ways = Ways(
        cells,
        checked_grid(loaded, grid),
        order,
        *_saliency(loaded, order, saliency, parameters),
        seed=check_seed(seed),
    )
    places = places_of(images, count)
    request = request_of(loaded, images, MissingnessStudy.kind, chosen, places) | {
        "cells": ways.cells,
        "grid": list(ways.grid),
        "order": ways.order,
        "saliency": {"name": ways.saliency, "parameters": ways.parameters},
        "shares": list(_checked_shares(shares)),
        "seed": ways.seed,
    }
    return StudyPlan(
        loaded,
        images,
        chosen,
        tuple(request["shares"]),
        ways,
        places,
        labels_of(images, loaded),
        request,
        looking=Cost(1) + _saliency_cost(loaded, ways),
    )


def missingness_study(
    model: LoadedModel | str | torch.nn.Module,
    images: ImageSet,
    *,
    fills: Sequence[str] = (),
    order: Order = "random",
    cells: CellKind = "blocks",
    grid: Any = None,
    shares: Sequence[float] = SHARES,
    saliency: str = "",
    count: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    **parameters: Any,
) -> MissingnessStudy:
    """Hide ever more of each picture of a set, and see what becomes of the answers.

    All fills get the same masks; those of a picture depend on the seed and its place alone, and
    each hides what the one before hides and more.

    Args:
        model: a loaded model, a reference, or an ``nn.Module``.
        images: from ``load_images`` or ``load_sample_set``. Without labels that the model knows
            there is no accuracy, only the share of answers that stay as for the whole picture.
        fills: names of fills; by default all that suit the model.
        order: which cells are hidden first: "random", "most-salient" or "least-salient".
        cells: "blocks" or "superpixels" (SLIC).
        grid: rows and columns of blocks (there are at most as many superpixels); a number
            stands for both. By default ``usual_grid``: the patches of a vision transformer,
            else 14 × 14, of small pictures fewer.
        shares: parts to hide, 0 … 1; by default 0, 0.1 … 1. The cells hidden are those that
            come nearest; ``hidden`` tells what they cover.
        saliency: the method whose map of the predicted class orders the cells; by default
            the one that the model's page begins with.
        count: how many pictures, as many of each class as can be; by default all.
        seed: of the order, of what fills draw (each picture its own), and of resampling.
        progress: called with passes done and passes promised.
        cancel: an object with ``is_set()``, looked at before every pass.
        **parameters: of the saliency method.

    Raises:
        InputError: no picture can be read.
        MethodError: a fill or method that does not suit the model, or a model without classes.
        ParameterError: an unknown name, or a value out of range.
        Cancelled: the caller asked to stop.
    """
    planned = plan_study(
        model,
        images,
        fills=fills,
        order=order,
        cells=cells,
        grid=grid,
        shares=shares,
        saliency=saliency,
        count=count,
        seed=seed,
        **parameters,
    )
    return planned.run(progress, cancel)


def check_model(model: LoadedModel) -> None:
    """Refuse what takes no pictures, or does not choose between classes."""
    if model.family == "tabular":
        raise InputError(f"{model.card.title} takes rows of a table, not pictures")
    if model.activation != "softmax" or len(model.classes) < 2:
        raise MethodError(
            f"{model.card.title} does not choose between classes, so there are no answers to count"
        )


def check_fills(model: LoadedModel, fills: Sequence[str]) -> tuple[str, ...]:
    """Return the names of fills, all that suit the model by default.

    Raises:
        ParameterError: none of that name, or one named twice.
        MethodError: one does not suit the model.
    """
    if isinstance(fills, str):
        raise ParameterError(f"fills is a list of names, not {fills!r}")
    chosen = tuple(fills) or fills_for(model)
    for name in chosen:
        suited_fill(model, name)
    if len(set(chosen)) < len(chosen):
        raise ParameterError(f"a fill is named twice: {', '.join(chosen)}")
    return chosen


def check_seed(seed: int) -> int:
    """Return a seed.

    Raises:
        ParameterError: it is no whole number.
    """
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ParameterError(f"seed={seed!r}: expected a whole number")
    return seed


def places_of(images: ImageSet, count: int | None) -> np.ndarray:
    """Return which pictures are asked about, int64: the first of every class, in turn.

    Raises:
        ParameterError: fewer than one, or more than there are.
    """
    if count is None:
        return np.arange(len(images))
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= len(images):
        raise ParameterError(f"count={count!r}: expected a whole number from 1 to {len(images)}")
    seen: Counter[str | None] = Counter()
    turns = []
    for label in images.labels:
        turns.append(seen[label])
        seen[label] += 1
    return np.sort(np.argsort(turns, kind="stable")[:count])


def labels_of(images: ImageSet, model: LoadedModel) -> np.ndarray:
    """Return the label of each picture by the model's index, int32; −1 where it knows none."""
    try:
        return match_labels(images.labels, model.classes)
    except InputError:
        return np.full(len(images), NONE, dtype=np.int32)


def request_of(
    model: LoadedModel, images: ImageSet, kind: str, fills: tuple[str, ...], places: np.ndarray
) -> dict[str, Any]:
    """Return what decides the numbers of every study of missing parts."""
    return {
        "schema": SCHEMA,
        "kind": kind,
        "model": model.describe(),
        "preprocessing": model.spec.describe(),
        "classes": model.classes_digest,
        "images": images.digest,
        "count": len(places),
        "fills": list(fills),
        "device": model.device.type,
        "dtype": model.dtype,
        "chunk": chunk_for(model),
        "versions": {**versions(), **model.packages},
    }


def _checked_shares(shares: Sequence[float]) -> tuple[float, ...]:
    values = tuple(float(share) for share in shares)
    if not values or any(not 0 <= share <= 1 for share in values):
        raise ParameterError(f"shares={list(shares)}: expected numbers from 0 to 1")
    if list(values) != sorted(set(values)):
        raise ParameterError(f"shares={list(shares)}: expected them rising, each once")
    return values


def _saliency(
    model: LoadedModel, order: str, name: str, parameters: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Return the method whose map orders the cells, and its parameters."""
    if order == "random":
        if name or parameters:
            given = name or next(iter(parameters))
            raise ParameterError(f"order=random takes no saliency method; leave out {given!r}")
        return "", {}
    if not name:
        name = methods_for(model)[0].name
    found = find_method(name)
    found.check_suits(model)
    return name, check_all(parameters, found.parameters_for(model), found.name)


def _saliency_cost(model: LoadedModel, ways: Ways) -> Cost:
    if not ways.saliency:
        return Cost()
    return find_method(ways.saliency).cost(model, ways.parameters, 0) + Cost(1)


def asked_of(
    model: Any, images: ImageSet, kind: str, fills: Sequence[str], count: int | None, seed: int
) -> tuple[LoadedModel, ImageSet, tuple[str, ...], np.ndarray, np.ndarray, dict[str, Any]]:
    """Check what every probe of fills asks: model, set, fills, places, labels, request.

    Raises:
        InputError, MethodError, ParameterError: as in ``missingness_study``.
    """
    loaded = load_model(model)
    check_model(loaded)
    chosen = check_fills(loaded, fills)
    places = places_of(images, count)
    request = request_of(loaded, images, kind, chosen, places) | {"seed": check_seed(seed)}
    return loaded, images, chosen, places, labels_of(images, loaded), request
