"""Importance and sparsity of units learned together (OFB)."""

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
from engine.pruning.scoring.scopes import choose
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
_FIRST, _LAST = 0.99, 0.1  # share of importance in the mask, falling over the training
_OPTIONS = 8
_START, _SPREAD = 2.0, 0.2


class Prunability(Trained):
    """A mask of two parts: how important a unit is, and how many of its layer are to stay."""

    name: ClassVar[str] = "prunability"
    title = "Prunability (after OFB)"
    summary = "Learns on frozen weights which units matter and how many each layer needs."
    paper = "ye2024once"
    caveat = (
        "After OFB, not OFB: its mask λ·importance + (1 − λ)·sparsity, with λ from 0.99 to 0.1, "
        "is kept, but weights are frozen, there is no masked image modelling, importance begins "
        "near 1 instead of ½, and its one-hot loss is replaced by the entropy of each layer's "
        "choice and the squared distance to the share that is asked for (our definitions). The "
        "units of lowest prunability go, over all layers together."
    )
    parameters = (
        Parameter(
            "ratio", "Units to remove", "float", 0.5, "Share of all units.", low=0.0, high=0.99
        ),
        SHARE,
        STEPS,
        BATCH,
        Parameter(
            "strength",
            "Pull towards the ratio",
            "float",
            10.0,
            "Weight of the squared distance to the share that is asked for.",
            low=0.0,
            high=1000.0,
        ),
    )

    def problem(self, model: LoadedModel, groups: Groups) -> str:
        """There must be units that can be gated."""
        return "" if groups.groups else "it has no units that can be removed"

    def compute(self, work: Work) -> Outcome:
        """Return the mask's last value of each unit, and the units that stay."""
        lesson = self.lesson(work)
        copy = copy_of(work.model, "gated")
        groups = gateable_of(copy, work.groups)
        masks = BiMasks(groups, work.seed, copy.device)
        steps, wanted = int(work.parameters["steps"]), 1 - work.number("ratio")

        def loss(x: torch.Tensor, truth: torch.Tensor, step: int) -> torch.Tensor:
            share = step / max(1, steps - 1)
            gates = masks.now(share)
            with copy.ready() as module, gating(module, groups, gates):
                logits = work.passes.forward(x)
            asked = (masks.mean(gates) - wanted).square() + (masks.kept_share() - wanted).square()
            price = work.number("strength") * asked + share * masks.indecision()
            return cross_entropy(logits, truth, copy.activation) + price

        with work.passes.instead(copy):
            losses = learn(work, lesson, torch.optim.Adam(masks.learned, lr=_RATE), loss)
        scores = masks.scores()
        kept = choose(scores, work.groups, work.number("ratio"), "global")
        told = {**lesson.told, "skipped": left_out(work.groups, groups)}
        return Outcome(told=told, scores=scores, kept=kept, losses=losses)


class BiMasks:
    """Importance of each unit, and for each group how likely each number of units is.

    Args:
        groups: whose units.
        seed: of the first importance.
        device: where they are.
    """

    def __init__(self, groups: tuple[Group, ...], seed: int, device: torch.device) -> None:
        draw = torch.Generator().manual_seed(seed % 2**63)
        self._score: dict[str, torch.Tensor] = {}
        self._option: dict[str, torch.Tensor] = {}
        self._counts: dict[str, torch.Tensor] = {}
        for group in groups:
            first = _START + _SPREAD * torch.randn(group.size, generator=draw)
            self._score[group.name] = first.to(device).requires_grad_()
            options = min(_OPTIONS, group.size)
            self._option[group.name] = torch.zeros(options, device=device, requires_grad=True)
            counts = [round(group.size * (k + 1) / options) for k in range(options)]
            self._counts[group.name] = torch.tensor(counts, device=device)

    @property
    def learned(self) -> list[torch.Tensor]:
        """All scores and options."""
        return [*self._score.values(), *self._option.values()]

    def now(self, share: float) -> dict[str, torch.Tensor]:
        """Return the masks, ``(size,)`` by the group's name, after a share of the training."""
        importance = _FIRST + (_LAST - _FIRST) * share
        return {
            name: importance * score.sigmoid() + (1 - importance) * self.sparsity(name)
            for name, score in self._score.items()
        }

    def sparsity(self, name: str) -> torch.Tensor:
        """Return how likely each unit stays: the sum of the options that reach its rank."""
        rank = self._score[name].detach().argsort(descending=True, stable=True).argsort()
        stays = (rank[:, None] < self._counts[name]).to(self._option[name])  # (size, options)
        return stays @ self._option[name].softmax(dim=0)

    def mean(self, gates: dict[str, torch.Tensor]) -> torch.Tensor:
        """Return the mean of all masks."""
        return torch.cat(list(gates.values())).mean()

    def kept_share(self) -> torch.Tensor:
        """Return the share of all units that is expected to stay."""
        kept = [self._expected(name) for name in self._option]
        return torch.stack(kept).sum() / sum(len(score) for score in self._score.values())

    def _expected(self, name: str) -> torch.Tensor:
        option = self._option[name]
        return (option.softmax(dim=0) * self._counts[name].to(option)).sum()

    def indecision(self) -> torch.Tensor:
        """Return the mean entropy of the groups' choices, in nats."""
        each = [torch.distributions.Categorical(logits=o).entropy() for o in self._option.values()]
        return torch.stack(each).mean()

    def scores(self) -> dict[str, np.ndarray]:
        """Return the last masks, float64 ``(size,)`` by the group's name."""
        return {name: mask.detach().double().cpu().numpy() for name, mask in self.now(1.0).items()}
