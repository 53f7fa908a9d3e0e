"""Single weights put to zero: magnitude and Wanda. The shapes stay, and so does the time."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import nn

from engine.errors import InputError, MethodError, ParameterError, nearest
from engine.execution.chunks import telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes, Progress
from engine.heads.pictures import load_pictures
from engine.heads.running import Batch, Rows, Run
from engine.inputs.images import Fit
from engine.models.loaded import LoadedModel
from engine.pruning.cutting.making import with_numbers
from engine.pruning.scoring.moments import Moments, moments_of
from engine.pruning.scoring.scopes import rounded
from engine.pruning.scoring.score import calibration_run
from engine.pruning.scoring.tapping import LayerTap

WeightCriterion = Literal["magnitude", "wanda"]
WeightScope = Literal["row", "uniform", "global"]
CRITERIA: tuple[WeightCriterion, ...] = get_args(WeightCriterion)
SCOPES: tuple[WeightScope, ...] = get_args(WeightScope)


@dataclass(frozen=True, eq=False)
class WeightMasks:
    """Which weights stay.

    Attributes:
        kept: of each tensor bool of its shape, by its name; True = stays.
        criterion, scope: how they were chosen.
        left: layers that stay whole, and why.
    """

    kept: Mapping[str, np.ndarray]
    criterion: WeightCriterion
    scope: WeightScope
    left: Mapping[str, str] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Share of the weights of these tensors that went."""
        count = sum(mask.size for mask in self.kept.values())
        return 1 - sum(int(mask.sum()) for mask in self.kept.values()) / max(1, count)


def mask_weights(
    model: LoadedModel,
    ratio: float,
    criterion: WeightCriterion = "magnitude",
    *,
    scope: WeightScope | None = None,
    images: Any = None,
    fit: Fit = "crop",
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> WeightMasks:
    """Choose the weights of convolutions and linear layers that stay; biases all do.

    "magnitude" is |w|. "wanda" is |w| · ‖X‖, X being what the weight's input is given over all
    pictures and places; of a convolution the whole map, for each place of the kernel alike (our
    definition). The lowest go first, of equal ones the first.

    Args:
        model: a loaded model.
        ratio: share of weights that goes, 0 to 1; a half is rounded down.
        criterion: "magnitude" or "wanda".
        scope: "row": of each output the same share, as Wanda has it; "uniform": of each tensor;
            "global": of all together. By default "uniform", of Wanda "row".
        images: to calibrate Wanda on.
        fit: how pictures are brought to the network's size.
        progress: called with passes done and passes promised.
        cancel: an object with ``is_set()``, looked at before every pass.

    Raises:
        ParameterError: a ratio outside 0 to 1, or an unknown criterion or scope.
        MethodError: a network without such layers.
        InputError: Wanda without pictures, or none can be read.
        Cancelled: the caller asked to stop.
    """
    chosen = _checked(ratio, criterion, scope)
    layers = _layers(model)
    scores, left = {}, {}
    norms = {} if criterion == "magnitude" else _norms(model, layers, images, fit, progress, cancel)
    for name, layer in layers.items():
        if criterion == "wanda" and name not in norms:
            left[name] = "it is not called as a layer: what it reads is not known"
            continue
        size = layer.weight.detach().cpu().double().abs().numpy()
        factor = norms[name].numpy() if criterion == "wanda" else 1.0
        scores[f"{name}.weight" if name else "weight"] = np.asarray(size * factor)
    return WeightMasks(_kept(scores, ratio, chosen), criterion, chosen, left)


def masked_copy(model: LoadedModel, masks: WeightMasks) -> LoadedModel:
    """Return a copy with the weights at zero that went; its shapes are those of the model."""
    with model.ready() as module:
        copy = deepcopy(module)
    zero_weights(copy, masks)
    found = with_numbers(model, copy)
    title = f"{model.card.title}, {100 * masks.share:.0f} % of weights at zero"
    return replace(found, card=replace(found.card, title=title))


def zero_weights(module: nn.Module, masks: WeightMasks) -> None:
    """Put weights to zero, in place."""
    tensors = dict(module.named_parameters())
    with torch.no_grad():
        for name, mask in masks.kept.items():
            tensors[name].mul_(torch.from_numpy(mask).to(tensors[name].device))


def _checked(ratio: float, criterion: str, scope: WeightScope | None) -> WeightScope:
    if criterion not in CRITERIA:
        raise ParameterError(f"no criterion {criterion!r}; {nearest(str(criterion), CRITERIA)}")
    if not 0 <= ratio <= 1:
        raise ParameterError(f"ratio={ratio}: a share of weights lies between 0 and 1")
    if scope is None:
        return "row" if criterion == "wanda" else "uniform"
    if scope not in SCOPES:
        raise ParameterError(f"no scope {scope!r}; {nearest(str(scope), SCOPES)}")
    return scope


def _layers(model: LoadedModel) -> dict[str, Any]:
    """Return convolutions and linear layers by name; weights that two share once."""
    found: dict[str, Any] = {}
    taken: set[int] = set()
    for name, part in model.module.named_modules():
        weight = part._parameters.get("weight")
        if isinstance(part, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d) and weight is not None:
            if id(weight) not in taken:
                found[name] = part
            taken.add(id(weight))
    if not found:
        raise MethodError(f"{model.card.title} has no convolution and no linear layer")
    return found


def _norms(
    model: LoadedModel,
    layers: Mapping[str, Any],
    images: Any,
    fit: Fit,
    progress: Progress | None,
    cancel: Cancel | None,
) -> dict[str, torch.Tensor]:
    """Return ‖X‖ for each weight, float64, of a shape that broadcasts to the weight's."""
    if images is None:
        raise InputError("no pictures to calibrate on: wanda needs some, magnitude needs none")
    pictures = load_pictures(model, images, fit)
    passes = Passes(model, Cost(len(pictures)), progress, cancel)
    with telling_out_of_memory():
        told = _moments(calibration_run(model, pictures, passes), layers)
    found = {}
    for name, moments in told.items():
        weight = layers[name].weight
        groups = int(getattr(layers[name], "groups", 1))
        norm = moments.energy.sqrt().unflatten(0, (groups, -1))  # (groups, inputs of one)
        rows = norm.repeat_interleave(len(weight) // groups, dim=0)
        found[name] = rows.reshape(*rows.shape, *[1] * (weight.ndim - 2))
    return found


def _moments(run: Run, layers: Mapping[str, Any]) -> dict[str, Moments]:
    total: dict[str, Moments] = {}

    def work(batch: Batch, _size: int) -> Rows:
        tap = LayerTap(run.model.module, list(layers))
        with tap.on():
            run.passes.forward(batch.x)
        for name, calls in tap.given.items():
            axis = 1 if layers[name].weight.ndim > 2 else -1
            for given in calls:
                own = moments_of(given, axis)
                total[name] = total[name].with_more(own) if name in total else own
        return {"read": np.ones(len(batch.x))}

    with torch.no_grad(), run.model.ready():
        run.collect(1, work)
    return total


def _kept(
    scores: Mapping[str, np.ndarray], ratio: float, scope: WeightScope
) -> dict[str, np.ndarray]:
    if scope == "global":
        flat = np.concatenate([values.ravel() for values in scores.values()])
        sizes = [values.size for values in scores.values()]
        parts = np.split(_stays(flat[None], ratio)[0], np.cumsum(sizes)[:-1])
        return {
            name: part.reshape(scores[name].shape) for name, part in zip(scores, parts, strict=True)
        }
    rows = {name: len(values) if scope == "row" else 1 for name, values in scores.items()}
    return {
        name: _stays(values.reshape(rows[name], -1), ratio).reshape(values.shape)
        for name, values in scores.items()
    }


def _stays(rows: np.ndarray, ratio: float) -> np.ndarray:
    """Return which numbers of each row stay when the lowest go, bool of the same shape."""
    gone = np.argsort(rows, axis=1, kind="stable")[:, : rounded(ratio, rows.shape[1])]
    stays = np.ones(rows.shape, dtype=bool)
    np.put_along_axis(stays, gone, False, axis=1)
    return stays
