"""What all methods that train share: their data, their loss, the loop, and its cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F

from engine.errors import MethodError
from engine.execution.cost import Cost
from engine.execution.draws import generator
from engine.models.image_labels import NONE
from engine.models.loaded import LoadedModel
from engine.models.outputs import Activation
from engine.parameters import Parameter, Value
from engine.pruning.cutting.readings import NOT_SEEN, gateable
from engine.pruning.methods.method import PruningMethod, Work
from engine.pruning.units import Group, Groups

STEPS = Parameter(
    "steps", "Steps", "int", 200, "Steps of training, each over one batch.", low=1, high=20_000
)
SHARE = Parameter(
    "share",
    "Pictures to learn from",
    "float",
    0.5,
    "Share of each class; the others are left to judge by.",
    low=0.05,
    high=1.0,
)
BATCH = Parameter("batch", "Batch", "int", 32, "Pictures in each step.", low=1, high=1024)


@dataclass(frozen=True, eq=False)
class Lesson:
    """What is learned from.

    Attributes:
        x: ``(n, …)``.
        truth: int64 ``(n,)``.
        numbers: of the pictures among all that there are.
        labelled: how many labels are the pictures' own; the others are what the network says.
    """

    x: torch.Tensor
    truth: torch.Tensor
    numbers: tuple[int, ...]
    labelled: int

    @property
    def told(self) -> dict[str, Any]:
        """Which pictures it was, and how many of them had labels."""
        return {"learned_from": list(self.numbers), "labelled": self.labelled}


class Trained(PruningMethod):
    """A method that trains on a copy before it prunes."""

    trains: ClassVar[bool] = True
    stages: ClassVar[int] = 1

    def refusal(self, model: LoadedModel, groups: Groups) -> str:
        """It must tell classes, and gradients must pass."""
        if model.activation == "identity":
            return "it tells no classes"
        if model.seen.squash:
            return "it returns probabilities, not logits"
        return self.problem(model, groups)

    def problem(self, model: LoadedModel, groups: Groups) -> str:
        """Say what else is missing, or nothing."""
        return ""

    def cost(self, pictures: int, parameters: Mapping[str, Value]) -> Cost:
        """Each step a batch there and back; before, each picture once where labels are missing."""
        samples = self.stages * int(parameters["steps"]) * min(int(parameters["batch"]), pictures)
        return Cost(samples + pictures, samples)

    def lesson(self, work: Work) -> Lesson:
        """Return the pictures that are learned from, a share of each class, and their labels.

        What has no label counts as of a class of its own, and is taught by what the network
        itself predicts.
        """
        chosen = learned_from(work.shown.labels, work.number("share"), work.seed)
        return _lesson_of(replace(work, pictures=work.shown.part(chosen.tolist())), chosen)


def learned_from(labels: np.ndarray, share: float, seed: int) -> np.ndarray:
    """Return the numbers of a share of each class, rounded up, in order; drawn by a seed."""
    chosen = []
    for label in np.unique(labels):
        numbers = generator(seed, int(label) - NONE).permutation(np.flatnonzero(labels == label))
        chosen.append(numbers[: ceil(share * len(numbers))])
    return np.sort(np.concatenate(chosen))


def _lesson_of(work: Work, chosen: np.ndarray) -> Lesson:
    parts, labels, numbers = [], [], []
    labelled = 0
    for batch in work.batches():
        known = batch.labels != NONE
        labelled += int(known.sum())
        truth = batch.labels
        if not known.all():
            with torch.no_grad():
                said = _predicted(work.passes.forward(batch.x), work.model.activation).cpu()
            truth = torch.where(known, truth, said)
        parts.append(batch.x)
        labels.append(truth)
        numbers += [int(chosen[number]) for number in batch.numbers]
    x = torch.cat(parts)
    return Lesson(x, torch.cat(labels).to(x.device), tuple(numbers), labelled)


def _predicted(logits: torch.Tensor, activation: Activation) -> torch.Tensor:
    return (logits[:, 0] > 0).long() if activation == "sigmoid" else logits.argmax(dim=1)


def gateable_of(model: LoadedModel, groups: Groups) -> tuple[Group, ...]:
    """Return the groups whose units can be gated.

    Raises:
        MethodError: there are none.
    """
    found = gateable(model, groups.groups)
    if not found:
        raise MethodError(f"{model.card.title}: none of its units can be gated: {NOT_SEEN}")
    return found


def left_out(groups: Groups, used: Sequence[Group]) -> dict[str, str]:
    """Return why groups are left out, by name."""
    return {one.name: NOT_SEEN for one in groups.groups if one not in used}


def cross_entropy(
    logits: torch.Tensor, truth: torch.Tensor, activation: Activation
) -> torch.Tensor:
    """Return the mean cross-entropy of a batch, in nats."""
    if activation == "sigmoid":
        return F.binary_cross_entropy_with_logits(logits[:, 0], truth.to(logits))
    return F.cross_entropy(logits, truth)


def draws(count: int, size: int, seed: int) -> Iterator[torch.Tensor]:
    """Yield the numbers of each batch without end: all samples once before any comes twice.

    Args:
        count: samples there are.
        size: samples in a batch; a last one that would be smaller is left out.
        seed: of the order.
    """
    source = torch.Generator().manual_seed(seed % 2**63)
    size = min(size, count)
    while True:
        order = torch.randperm(count, generator=source)
        for start in range(0, count - size + 1, size):
            yield order[start : start + size]


def learn(
    work: Work,
    lesson: Lesson,
    optimiser: torch.optim.Optimizer,
    loss: Callable[[torch.Tensor, torch.Tensor, int], torch.Tensor],
    after: Callable[[int], None] = lambda _step: None,
) -> np.ndarray:
    """Train: each step one batch, its loss, its gradient, and the optimiser's step.

    Args:
        work: steps and batch are its parameters.
        lesson: what to learn from.
        optimiser: of what is learned; its rate falls to zero along a cosine.
        loss: of a batch ``(n, …)``, its truth ``(n,)`` and the step's number; counts its passes.
        after: called after each step.

    Returns:
        The losses, float64 ``(steps,)``.
    """
    steps = int(work.parameters["steps"])
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    batches = draws(len(lesson.x), int(work.parameters["batch"]), work.seed)
    losses = np.empty(steps)
    for step in range(steps):
        work.passes.check()
        rows = next(batches).to(lesson.x.device)
        optimiser.zero_grad()
        with torch.enable_grad():
            value = loss(lesson.x[rows], lesson.truth[rows], step)
            value.backward()
        optimiser.step()
        schedule.step()
        after(step)
        losses[step] = float(value.detach())
    return losses
