"""``head_scores``: one call from a model, pictures and a metric to how much each head matters."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.attention.sites import attention_sites
from engine.errors import InputError, MethodError
from engine.execution.passes import Cancel, Progress
from engine.head_results import HeadScores
from engine.heads import asking
from engine.heads.ablation import all_heads
from engine.heads.pictures import Pictures, load_pictures
from engine.heads.planning import HeadPlan, Partial
from engine.heads.registry import find_metric, head_metrics
from engine.inputs.images import Fit
from engine.manifest import key_of
from engine.models.image_labels import NONE
from engine.models.loading import load_model
from engine.parameters import check_all


def plan_heads(
    model: Any,
    images: Any,
    metric: str,
    *,
    target: int | str | None = None,
    only_class: int | str | None = None,
    keep_one: bool = False,
    exact_top: int | None = None,
    fit: Fit = "crop",
    seed: int = 0,
    **parameters: Any,
) -> HeadPlan:
    """Check a request and return what it would be known by and cost, without computing it.

    Arguments and errors as in ``head_scores``.
    """
    chosen = find_metric(metric)
    loaded = load_model(model)
    if loaded.family == "tabular":
        raise MethodError(f"{loaded.card.title} takes rows of a table: it has no attention heads")
    found = attention_sites(loaded)
    chosen.check_suits(loaded, found)
    asking.check_seed(seed)
    asking.check_asked(chosen, keep_one, exact_top)
    values = check_all(parameters, chosen.parameters, chosen.name)
    wanted, only = (asking.class_for(loaded, given) for given in (target, only_class))
    pictures = load_pictures(loaded, images, fit)
    request = asking.request_for(
        loaded,
        pictures,
        HeadScores.kind,
        seed,
        metric={"name": chosen.name, "parameters": values},
        target=asking.named(loaded, wanted),
        only_class=asking.named(loaded, only),
        keep_one=keep_one,
        exact_top=exact_top,
    )
    pictures = _of_class(pictures, only)
    count = len(pictures)
    heads = len(all_heads(found.sites))
    places = None if exact_top is None else min(exact_top, heads)
    cost = chosen.family.cost(found, count, values, keep_one, places)
    if exact_top is not None:
        cost += head_metrics()["gradient"].family.cost(found, count, {}, False)
    return HeadPlan(
        model=loaded,
        metric=chosen,
        found=found,
        pictures=pictures,
        target=wanted,
        only=only,
        keep_one=keep_one,
        exact_top=exact_top,
        parameters=values,
        seed=seed,
        request=request,
        key=key_of(request),
        cost=cost,
    )


def head_scores(
    model: Any,
    images: Any,
    metric: str,
    *,
    target: int | str | None = None,
    only_class: int | str | None = None,
    keep_one: bool = False,
    exact_top: int | None = None,
    fit: Fit = "crop",
    seed: int = 0,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    partial: Partial | None = None,
    **parameters: Any,
) -> HeadScores:
    """Say how much each attention head of a model matters.

    Args:
        model: a loaded model, a reference, or an ``nn.Module``.
        images: an image set, one picture (anything ``load_image`` takes), or prepared inputs
            ``(n, …)``.
        metric: a metric's name; ``head_metrics()`` has them.
        target: ask all pictures about this class; by default each about its true one where
            that is known, else about the predicted one.
        only_class: pictures of this class alone, by label, else by prediction.
        keep_one: judge a head by what it does as the only one of its layer: how far the model
            is off without the layer, less how far with this head alone. Of metrics that
            switch heads off.
        exact_top: look at the gradients first, and switch off only so many heads, those that
            they put first; the others' values are NaN. Of metrics that switch heads off.
        fit: how the pictures of a set are brought to the network's size.
        seed: for metrics that draw.
        progress: called with passes done and passes promised.
        cancel: an object with ``is_set()``, looked at before every pass.
        partial: called with what was found so far: the gradients (``cheap``), each layer of a
            single picture, an eighth, a quarter and half of a set. Its manifest tells
            "partial", its key is that of the finished result, and it decides no number.
        **parameters: of the metric.

    Returns:
        float32 ``(layers, heads)``, with standard errors over images.

    Raises:
        MethodError: no such metric; heads that cannot be gated, with the reason.
        InputError, ModelError, ParameterError, TargetError: one line each.
        Cancelled: the caller asked to stop.
        OutOfMemory: one sample at a time does not fit.
    """
    planned = plan_heads(
        model,
        images,
        metric,
        target=target,
        only_class=only_class,
        keep_one=keep_one,
        exact_top=exact_top,
        fit=fit,
        seed=seed,
        **parameters,
    )
    return planned.run(progress, cancel, partial)


def _of_class(pictures: Pictures, only: int | None) -> Pictures:
    """Leave out the pictures that are known to be of another class."""
    if only is None:
        return pictures
    chosen = np.flatnonzero((pictures.labels == only) | (pictures.labels == NONE))
    if not len(chosen):
        raise InputError(f"{pictures.name}: no picture of the class asked for")
    return pictures.part([int(index) for index in chosen])
