"""``fine_tuned``: some training after a cut, on labels or on what the whole network says."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from engine.errors import InputError, MethodError, ModelError, ParameterError, nearest, one_line
from engine.execution.chunks import telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.draws import generator
from engine.execution.exhaustion import is_out_of_memory
from engine.execution.passes import Cancel, Passes, Progress
from engine.heads.families.ablating import no_classes
from engine.heads.pictures import Pictures, load_pictures
from engine.heads.said import log_probabilities
from engine.inputs.images import Fit
from engine.models.image_labels import NONE
from engine.models.loaded import LoadedModel
from engine.models.outputs import logits_of
from engine.parameters import check_seed
from engine.pruning.cutting.cut import zero_columns
from engine.pruning.cutting.making import described, pruned_of, with_numbers
from engine.pruning.finding.groups import find_groups
from engine.pruning.methods.weights import WeightMasks, zero_weights

Optimiser = Literal["sgd", "adamw"]
Norms = Literal["fixed", "moving"]
OPTIMISERS: tuple[Optimiser, ...] = get_args(Optimiser)
NORMS: tuple[Norms, ...] = get_args(Norms)
# Logits are divided by it before the two networks are compared (hinton2015distilling).
TEMPERATURE = 2.0


@dataclass(frozen=True)
class Recipe:
    """How to train.

    Attributes:
        epochs: times that every picture is seen.
        learning_rate: falls to zero along half a cosine.
        optimiser: "sgd" (momentum 0.9) or "adamw" (no weight decay).
        batch: pictures in each step.
        norms: "fixed": batch norms keep their statistics, as in use; "moving": they use those of
            each batch, and follow them. Dropout is off in both.
        seed: of the order of the pictures.
    """

    epochs: int = 2
    learning_rate: float = 1e-3
    optimiser: Optimiser = "adamw"
    batch: int = 32
    norms: Norms = "fixed"
    seed: int = 0

    def __post_init__(self) -> None:
        check_seed(self.seed)
        for name, known in (("optimiser", OPTIMISERS), ("norms", NORMS)):
            if getattr(self, name) not in known:
                told = nearest(str(getattr(self, name)), known)
                raise ParameterError(f"no {name} {getattr(self, name)!r}; {told}")
        if self.epochs < 1 or self.batch < 1:
            raise ParameterError("epochs and batch are whole numbers, 1 or more")
        if not 0 < self.learning_rate <= 1:
            raise ParameterError(f"learning_rate={self.learning_rate}: above 0, at most 1")


@dataclass(frozen=True, eq=False)
class Tuned:
    """What came of it.

    Attributes:
        model: the trained copy.
        losses: mean loss of each epoch's pictures as they were met, float64 ``(epochs,)``, nats.
        pictures: how many were used.
        taught_by: "labels" or the title of the network whose outputs were learned.
    """

    model: LoadedModel
    losses: np.ndarray
    pictures: int
    taught_by: str


def tuning_cost(recipe: Recipe, pictures: int, taught: bool) -> Cost:
    """Return the passes of ``fine_tuned``; a teacher says once what it says of each picture."""
    return Cost(recipe.epochs * pictures + taught * pictures, recipe.epochs * pictures)


def fine_tuned(
    model: LoadedModel,
    images: Any,
    recipe: Recipe | None = None,
    *,
    teacher: LoadedModel | None = None,
    masks: WeightMasks | None = None,
    fit: Fit = "crop",
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Tuned:
    """Train a copy of a cut network for a few steps.

    Units that are gated stay gated, and masked weights masked. The same seed gives the same
    numbers on the same machine with as many threads.

    Args:
        model: left as it is.
        images: an image set, or prepared inputs ``(n, …)`` with a teacher.
        recipe: how to train.
        teacher: learn what this network says of the pictures, at temperature 2, instead of their
            labels: the network before the cut, as a rule.
        masks: single weights that stay at zero.
        fit: how pictures are brought to the network's size.
        progress: called with passes done and passes promised.
        cancel: an object with ``is_set()``, looked at before every step.

    Raises:
        InputError: no pictures with a label, and no teacher.
        MethodError: a network that tells no classes.
        ModelError: the loss is not finite, the learning rate being too large; or the network
            cannot be trained as it is written.
        Cancelled: the caller asked to stop.
        OutOfMemory: a step does not fit.
    """
    recipe = recipe or Recipe()
    if no_classes(model):
        raise MethodError(no_classes(model))
    pictures = _usable(load_pictures(model, images, fit), teacher)
    cost = tuning_cost(recipe, len(pictures), teacher is not None)
    passes = Passes(model, cost, progress, cancel)
    with model.ready() as module:
        copy = deepcopy(module)
    hold = _holding(model, masks)
    with telling_out_of_memory():
        x = torch.cat([pictures.prepared(number) for number in range(len(pictures))])
        wanted = None if teacher is None else _told(passes, teacher, x, recipe.batch)
        labels = torch.from_numpy(pictures.labels.astype(np.int64)).to(x.device)
        losses = _Training(model, copy, recipe, passes, hold).run(x, labels, wanted)
    found = with_numbers(model, copy)
    by = "labels" if teacher is None else teacher.card.title
    if pruned_of(found) is not None:
        described(found, tuned={**recipe.__dict__, "taught_by": by, "pictures": len(pictures)})
    return Tuned(found, losses, len(pictures), by)


def _usable(pictures: Pictures, teacher: LoadedModel | None) -> Pictures:
    """Return the pictures that can be read and, without a teacher, have a label."""
    wanted = [n for n in range(len(pictures)) if teacher is not None or pictures.labels[n] != NONE]
    if not wanted:
        raise InputError(f"{pictures.name}: no picture has a label; give a teacher to learn from")
    found, reason = [], ""
    for number in wanted:
        try:
            pictures.prepared(number)
            found.append(number)
        except InputError as error:
            reason = reason or str(error)
    if not found:
        raise InputError(f"{pictures.name}: no picture could be read; {reason}")
    return pictures.part(found)


def _told(passes: Passes, teacher: LoadedModel, x: torch.Tensor, size: int) -> torch.Tensor:
    """Return what a network says of all pictures, logits ``(n, classes)``."""
    with torch.no_grad(), passes.instead(teacher):
        parts = [passes.forward(x[start : start + size]) for start in range(0, len(x), size)]
    return torch.cat(parts)


def _holding(model: LoadedModel, masks: WeightMasks | None) -> Callable[[nn.Module], None]:
    """Return what puts back to zero what went."""
    made = pruned_of(model)
    gated = made is not None and not made.sliced
    groups = find_groups(model).groups if gated else ()

    def hold(module: nn.Module) -> None:
        if made is not None and groups:
            zero_columns(module, groups, made.kept)
        if masks is not None:
            zero_weights(module, masks)

    return hold


class _Training:
    """One training of a network that nobody else uses."""

    def __init__(
        self,
        model: LoadedModel,
        module: nn.Module,
        recipe: Recipe,
        passes: Passes,
        hold: Callable[[nn.Module], None],
    ) -> None:
        self._model = model
        self._module = module
        self._recipe = recipe
        self._passes = passes
        self._hold = hold

    def run(self, x: torch.Tensor, labels: torch.Tensor, wanted: torch.Tensor | None) -> np.ndarray:
        """Train in place; returns the mean loss of each epoch."""
        recipe, module = self._recipe, self._module
        self._prepare()
        steps = -(-len(x) // recipe.batch) * recipe.epochs
        optimiser = self._optimiser()
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        losses = []
        with torch.inference_mode(False), torch.enable_grad():
            for epoch in range(recipe.epochs):
                order = generator(recipe.seed, epoch).permutation(len(x))
                total = 0.0
                for start in range(0, len(x), recipe.batch):
                    chosen = torch.from_numpy(order[start : start + recipe.batch]).to(x.device)
                    target = labels[chosen] if wanted is None else wanted[chosen]
                    total += self._step(optimiser, x[chosen], target, wanted is not None)
                    schedule.step()
                losses.append(total / len(x))
        module.eval().requires_grad_(False)
        return np.array(losses)

    def _step(
        self, optimiser: torch.optim.Optimizer, x: torch.Tensor, target: torch.Tensor, taught: bool
    ) -> float:
        """Make one step; returns the sum of the losses."""
        self._passes.check()
        optimiser.zero_grad(set_to_none=True)
        try:
            loss = self._slopes(x, target, taught)
        except RuntimeError as error:  # the network is the user's own code
            if is_out_of_memory(error):
                raise
            told = f"{self._model.card.title} cannot be trained: {one_line(error)}"
            raise ModelError(told) from error
        optimiser.step()
        self._hold(self._module)
        self._passes.add(Cost(len(x), len(x)))
        return float(loss.detach()) * len(x)

    def _slopes(self, x: torch.Tensor, target: torch.Tensor, taught: bool) -> torch.Tensor:
        """Return the mean loss, with its gradient in the weights."""
        logits = logits_of(self._module(x), self._model.seen.entry)
        loss = self._taught(logits, target) if taught else self._labelled(logits, target)
        if not loss.isfinite():
            raise ModelError(
                "the loss is not finite: lower the learning rate "
                f"({self._recipe.learning_rate:g} now)"
            )
        loss.backward()
        return loss

    def _labelled(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        log_p = log_probabilities(logits, self._model.activation)
        return -log_p.gather(1, labels[:, None]).mean()

    def _taught(self, logits: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        """Return T² · KL(teacher ‖ network), both at temperature T."""
        own, other = (
            log_probabilities(one / TEMPERATURE, self._model.activation) for one in (logits, wanted)
        )
        loss = F.kl_div(own, other, reduction="batchmean", log_target=True)
        return loss * TEMPERATURE**2

    def _prepare(self) -> None:
        self._module.eval().requires_grad_(True)
        if self._recipe.norms == "moving":
            for part in self._module.modules():
                if isinstance(part, _BatchNorm):
                    part.train()

    def _optimiser(self) -> torch.optim.Optimizer:
        weights, rate = list(self._module.parameters()), self._recipe.learning_rate
        if self._recipe.optimiser == "sgd":
            return torch.optim.SGD(weights, rate, momentum=0.9)
        return torch.optim.AdamW(weights, rate, weight_decay=0.0)
