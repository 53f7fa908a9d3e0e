"""Batch norms' scales driven to zero, first all, then only those that are to go (MaskSparsity)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from engine.models.outputs import logits_of
from engine.parameters import Parameter
from engine.pruning.methods.method import Work
from engine.pruning.methods.outcome import Outcome
from engine.pruning.methods.weight_masks import copy_of
from engine.pruning.trained.base import (
    BATCH,
    SHARE,
    STEPS,
    Lesson,
    Trained,
    cross_entropy,
    learn,
)
from engine.pruning.units import Group, Groups, Span

_RATE, _SCALES_RATE, _MOMENTUM = 0.005, 0.1, 0.9
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
# Which scales are pulled towards zero: batch norm's name → bool (channels,).
_Pulled = Mapping[str, torch.Tensor]


class MaskSparsity(Trained):
    """Trains with |γ| as a penalty, masks the small ones, and goes on pulling those alone."""

    name: ClassVar[str] = "mask-sparsity"
    title = "MaskSparsity"
    summary = "Trains a copy until the batch norms' scales of what can go are near zero."
    paper = "jiang2022pruning"
    caveat = (
        "The weights change. The paper trains for hundreds of epochs at 5·10⁻⁴ in both stages; "
        "so short a training pulls harder in the first, and the second goes on from its weights "
        "instead of from the dense ones (our definitions). A unit goes where the scales of all "
        "batch norms that make it are below the threshold, even if the second stage lets a "
        "scale rise again. What such a batch norm still adds, "
        "its shift, goes with the unit: compensating biases mends that."
    )
    parameters = (
        SHARE,
        replace(STEPS, default=100, help="Steps of each stage, each over one batch."),
        BATCH,
        Parameter(
            "first",
            "Penalty on all",
            "float",
            0.03,
            "Weight of the sum of all |γ| beside the cross-entropy, in the first stage.",
            low=0.0,
            high=1.0,
        ),
        Parameter(
            "second",
            "Penalty on the masked",
            "float",
            5e-4,
            "Weight of the sum of the masked |γ| in the second stage.",
            low=0.0,
            high=1.0,
        ),
        Parameter(
            "threshold",
            "Threshold",
            "float",
            0.01,
            "Units whose |γ| is below it after the first stage are masked.",
            low=0.0,
            high=10.0,
        ),
    )
    stages: ClassVar[int] = 2

    def problem(self, model: LoadedModel, groups: Groups) -> str:
        """There must be batch norms that scale units."""
        if any(scales_of(model.module, group) for group in groups.groups):
            return ""
        return "no batch norm scales its units"

    def compute(self, work: Work) -> Outcome:
        """Return the trained copy, |γ| of its units, and the units that stay."""
        lesson = self.lesson(work)
        copy = copy_of(work.model, "trained")
        groups = [one for one in work.groups.groups if scales_of(copy.module, one)]
        nothing = {one.name: np.zeros(one.size, dtype=bool) for one in groups}
        pulled = _masked(copy.module, groups, nothing)
        with training(copy):
            first = _stage(work, lesson, copy, pulled, work.number("first"))
            kept = _kept(copy.module, groups, work.number("threshold"))
            pulled = _masked(copy.module, groups, kept)
            second = _stage(work, lesson, copy, pulled, work.number("second"))
        scores = {group.name: _sizes(copy.module, group) for group in groups}
        threshold = work.number("threshold")
        told = {
            **lesson.told,
            "masked": {name: int((~mask).sum()) for name, mask in kept.items()},
            "risen": sum(int((scores[n][~mask] >= threshold).sum()) for n, mask in kept.items()),
        }
        losses = np.concatenate([first, second])
        return Outcome(told=told, scores=scores, kept=kept, model=copy, losses=losses)


def scales_of(module: nn.Module, group: Group) -> tuple[Span, ...]:
    """Return where the batch norms' scales of a group's units are."""
    layers = dict(module.named_modules())
    return tuple(
        span
        for span in group.producers
        if span.tensor == "weight" and isinstance(layers.get(span.layer), _NORMS)
    )


def _scale(module: nn.Module, name: str) -> nn.Parameter:
    """Return γ of a batch norm."""
    return module.get_parameter(f"{name}.weight")


@contextmanager
def training(copy: LoadedModel) -> Iterator[None]:
    """Hold the copy's lock with all of it learning; afterwards frozen and in eval mode."""
    with copy.lock:
        copy.module.train().requires_grad_(True)
        try:
            yield
        finally:
            copy.module.eval().requires_grad_(False)


def _stage(
    work: Work, lesson: Lesson, copy: LoadedModel, pulled: _Pulled, strength: float
) -> np.ndarray:
    """Train all weights with a penalty on some scales; return the losses without it."""
    scales = [_scale(copy.module, name) for name in pulled]
    rest = [w for w in copy.module.parameters() if all(w is not scale for scale in scales)]
    fast = {"params": scales, "lr": _SCALES_RATE}
    optimiser = torch.optim.SGD([{"params": rest, "lr": _RATE}, fast], lr=_RATE, momentum=_MOMENTUM)

    def loss(x: torch.Tensor, truth: torch.Tensor, _step: int) -> torch.Tensor:
        logits = logits_of(copy.module(x), copy.seen.entry)
        work.passes.add(Cost(len(x), len(x)))
        return cross_entropy(logits, truth, copy.activation)

    def pull(_step: int) -> None:
        step = strength * float(optimiser.param_groups[1]["lr"]) / (1 - _MOMENTUM)
        shrink(scales, list(pulled.values()), step)

    return learn(work, lesson, optimiser, loss, pull)


@torch.no_grad()
def shrink(scales: Sequence[torch.Tensor], where: Sequence[torch.Tensor], step: float) -> None:
    """Move scales towards zero by a step, in place, and no further than zero.

    What a gradient step on the penalty does, without the swing around zero.
    """
    for scale, some in zip(scales, where, strict=True):
        scale.copy_(scale.sign() * (scale.abs() - step * some).clamp_min(0))


def _sizes(module: nn.Module, group: Group) -> np.ndarray:
    """Return the largest |γ| of each unit over its batch norms, float64 ``(size,)``."""
    found = []
    for span in scales_of(module, group):
        scale = _scale(module, span.layer).detach().abs().double().cpu().numpy()
        found.append(scale[span.index].max(axis=1))
    return np.asarray(np.max(found, axis=0))


def _kept(module: nn.Module, groups: Sequence[Group], threshold: float) -> dict[str, np.ndarray]:
    """Return the units at or above the threshold; of each group at least the largest."""
    kept = {}
    for group in groups:
        sizes = _sizes(module, group)
        kept[group.name] = sizes >= threshold
        kept[group.name][int(sizes.argmax())] = True
    return kept


def _masked(
    module: nn.Module, groups: Sequence[Group], kept: Mapping[str, np.ndarray]
) -> dict[str, torch.Tensor]:
    """Return which scales belong to units that are to go, by the batch norm's name."""
    found: dict[str, torch.Tensor] = {}
    for group in groups:
        for span in scales_of(module, group):
            places = torch.from_numpy(span.index[~kept[group.name]].reshape(-1))
            scale = _scale(module, span.layer).detach()
            mask = found.setdefault(span.layer, torch.zeros_like(scale))
            mask[places.to(mask.device)] = 1
    return found
