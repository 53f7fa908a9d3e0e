"""Masks of single weights, learned while the weights stay frozen (lottery jackpots)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch
from torch.func import functional_call

from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from engine.models.outputs import logits_of
from engine.parameters import Parameter
from engine.pruning.methods.method import Work
from engine.pruning.methods.outcome import Outcome
from engine.pruning.methods.weight_masks import copy_of, keep_best, masked_copy, prunable_weights
from engine.pruning.trained.base import BATCH, SHARE, STEPS, Trained, cross_entropy, learn
from engine.pruning.units import Groups

_IN, _OUT = 1.0, 0.99  # first score of a weight that magnitude keeps, and of one it does not
_MOMENTUM = 0.9


class Jackpots(Trained):
    """Learns a score for each weight; those of the highest scores stay, at their own values."""

    name: ClassVar[str] = "jackpots"
    title = "Lottery jackpots"
    summary = "Learns which of the frozen weights stay, beginning with the largest."
    paper = "zhang2023lottery"
    caveat = (
        "The same share goes of every layer's weights, the first and the last layer's too (our "
        "definition: the authors leave the last dense); gradients pass straight through the "
        "choice. The authors' way to swap fewer weights at a time, and most of their training, "
        "are left out. Zeroed weights make nothing smaller or faster."
    )
    parameters = (
        Parameter(
            "ratio",
            "Weights to remove",
            "float",
            0.7,
            "Share of each layer's weights.",
            low=0.0,
            high=0.999,
        ),
        SHARE,
        STEPS,
        BATCH,
        Parameter(
            "rate", "Learning rate", "float", 0.05, "Step of the scores.", low=1e-4, high=100.0
        ),
    )

    def problem(self, model: LoadedModel, groups: Groups) -> str:
        """There must be weights."""
        return "" if prunable_weights(model.module) else "it has no weights in floating point"

    def compute(self, work: Work) -> Outcome:
        """Return the scores, the masks, and the network with those weights alone."""
        lesson = self.lesson(work)
        copy = copy_of(work.model, "masked")
        ratio = work.number("ratio")
        weights = prunable_weights(copy.module)
        first = magnitude_masks(weights, ratio)
        scores = {
            name: torch.where(torch.from_numpy(mask), _IN, _OUT).to(weights[name]).requires_grad_()
            for name, mask in first.items()
        }
        optimiser = torch.optim.SGD(scores.values(), lr=work.number("rate"), momentum=_MOMENTUM)

        def loss(x: torch.Tensor, truth: torch.Tensor, _step: int) -> torch.Tensor:
            masked = {name: weights[name] * best_of(scores[name], ratio) for name in scores}
            with copy.ready() as module:
                logits = logits_of(functional_call(module, masked, (x,)), copy.seen.entry)
            work.passes.add(Cost(len(x), len(x)))
            return cross_entropy(logits, truth, copy.activation)

        losses = learn(work, lesson, optimiser, loss)
        found = {name: score.detach().double().cpu().numpy() for name, score in scores.items()}
        masks = keep_best(found, ratio, "layer")
        told = {**lesson.told, "swapped": _swapped(first, masks)}
        model = masked_copy(work.model, masks, "jackpot")
        return Outcome(told=told, weight_scores=found, masks=masks, model=model, losses=losses)


def magnitude_masks(weights: Mapping[str, torch.Tensor], ratio: float) -> dict[str, np.ndarray]:
    """Return the masks that keep each layer's largest weights."""
    sizes = {name: weight.detach().abs().cpu().numpy() for name, weight in weights.items()}
    return keep_best(sizes, ratio, "layer")


def best_of(score: torch.Tensor, ratio: float) -> torch.Tensor:
    """Return the mask of the highest scores, 0 or 1, through which gradients pass unchanged."""
    mask: torch.Tensor = _StraightThrough.apply(score, ratio)
    return mask


class _StraightThrough(torch.autograd.Function):
    """Forwards the choice of the highest; backwards does as if it had not been there."""

    @staticmethod
    def forward(_context: Any, score: torch.Tensor, ratio: float) -> torch.Tensor:
        (mask,) = keep_best({"": score.detach().cpu().numpy()}, ratio, "layer").values()
        return torch.from_numpy(mask).to(score)

    @staticmethod
    def backward(_context: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        return gradients[0], None


def _swapped(first: Mapping[str, np.ndarray], last: Mapping[str, np.ndarray]) -> float:
    """Return the share of the weights that magnitude keeps which were given up for others."""
    kept = sum(int(mask.sum()) for mask in first.values())
    gone = sum(int((mask & ~last[name]).sum()) for name, mask in first.items())
    return gone / max(1, kept)
