"""Noise that each unit can bear: masks of a variational information bottleneck (VTrans)."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch

from engine.models.loaded import LoadedModel
from engine.parameters import Parameter
from engine.pruning.cutting.readings import gating
from engine.pruning.methods.method import Work
from engine.pruning.methods.outcome import Outcome
from engine.pruning.methods.weight_masks import copy_of
from engine.pruning.trained.base import (
    BATCH,
    SHARE,
    STEPS,
    Trained,
    cross_entropy,
    gateable_of,
    learn,
    left_out,
)
from engine.pruning.units import Group, Groups

_RATE = 0.05
_FIRST_MEAN, _FIRST_LOG_VARIANCE, _SPREAD = 1.0, -9.0, 0.01
_LEAST = 1e-8


class Bottleneck(Trained):
    """Multiplies each unit by noise of mean μ and variance σ² that are learned."""

    name: ClassVar[str] = "bottleneck"
    title = "Information bottleneck (VTrans)"
    summary = "Learns how much noise each unit bears; what drowns in it can go."
    paper = "dutta2024vtrans"
    caveat = (
        "The weights stay frozen, as in the paper's fastest variant; distillation, embeddings "
        "and whole layers are left out, and the price of information is the same for every unit, "
        "a mean over units and samples rather than one chosen for each layer (our definitions). "
        "A unit's score is μ²/σ², and it stays where that is above 1. Training is far shorter "
        "than the paper's: the order of units is worth more than the number that stay."
    )
    parameters = (
        SHARE,
        STEPS,
        BATCH,
        Parameter(
            "strength",
            "Price of information",
            "float",
            1e-3,
            "Weight of each unit's information (nats) beside the cross-entropy.",
            low=0.0,
            high=1.0,
        ),
    )

    def problem(self, model: LoadedModel, groups: Groups) -> str:
        """There must be units that can be gated."""
        return "" if groups.groups else "it has no units that can be removed"

    def compute(self, work: Work) -> Outcome:
        """Return μ²/σ² of each unit, and the units above 1."""
        lesson = self.lesson(work)
        copy = copy_of(work.model, "gated")
        groups = gateable_of(copy, work.groups)
        noise = Noise(groups, work.seed, copy.device)
        optimiser = torch.optim.Adam(noise.learned, lr=_RATE)

        def loss(x: torch.Tensor, truth: torch.Tensor, _step: int) -> torch.Tensor:
            with copy.ready() as module, gating(module, groups, noise.drawn(len(x))):
                logits = work.passes.forward(x)
            price = work.number("strength") * noise.information()
            return cross_entropy(logits, truth, copy.activation) + price

        with work.passes.instead(copy):
            losses = learn(work, lesson, optimiser, loss)
        scores = noise.scores()
        told = {**lesson.told, "skipped": left_out(work.groups, groups)}
        return Outcome(told=told, scores=scores, kept=_audible(scores), losses=losses)


class Noise:
    """The learned factors of all units.

    Args:
        groups: whose units.
        seed: of first values and of noise.
        device: where they are.
    """

    def __init__(self, groups: tuple[Group, ...], seed: int, device: torch.device) -> None:
        self._draw = torch.Generator().manual_seed(seed % 2**63)
        self._device = device
        self._mean = {g.name: self._first(g.size, _FIRST_MEAN) for g in groups}
        self._log_variance = {
            one.name: self._first(one.size, _FIRST_LOG_VARIANCE) for one in groups
        }

    def _first(self, size: int, middle: float) -> torch.Tensor:
        drawn = middle + _SPREAD * torch.randn(size, generator=self._draw)
        return drawn.to(self._device).requires_grad_()

    @property
    def learned(self) -> list[torch.Tensor]:
        """All means and logarithms of variances."""
        return [*self._mean.values(), *self._log_variance.values()]

    def drawn(self, count: int) -> dict[str, torch.Tensor]:
        """Return factors for each sample, ``(count, size)`` by the group's name."""
        gates = {}
        for name, mean in self._mean.items():
            noise = torch.randn(count, len(mean), generator=self._draw).to(self._device)
            gates[name] = mean + noise * (self._log_variance[name] / 2).exp()
        return gates

    def information(self) -> torch.Tensor:
        """Return ½ Σ ln(1 + μ²/σ²) over all units, in nats."""
        each = [
            torch.log1p(mean.square() / (self._log_variance[name].exp() + _LEAST)).sum() / 2
            for name, mean in self._mean.items()
        ]
        return torch.stack(each).sum()

    def scores(self) -> dict[str, np.ndarray]:
        """Return μ²/σ², float64 ``(size,)`` by the group's name."""
        found = {}
        for name, mean in self._mean.items():
            variance = self._log_variance[name].detach().double().exp()
            found[name] = (mean.detach().double().square() / variance).cpu().numpy()
        return found


def _audible(scores: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the units above 1; of each group at least the best."""
    kept = {}
    for name, score in scores.items():
        kept[name] = score > 1
        kept[name][int(score.argmax())] = True
    return kept
