"""``plan_cut``: one smaller network, made, trained a little if asked, held against the whole."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.execution.chunks import Chunks, chunk_for, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes, Progress
from engine.inputs.image_sets import ImageSet
from engine.inputs.images import Fit
from engine.models.image_labels import NONE, match_labels
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.parameters import check_seed
from engine.pruning.cutting.gating import gated_copy
from engine.pruning.cutting.slicing import check_rounding, rounded
from engine.pruning.measuring.costs import Costs, costs_of
from engine.pruning.measuring.latency import Latency, latency_cost, measure_latency
from engine.pruning.repairing.repairs import Repair
from engine.pruning.repairing.tuning import Recipe, Tuned, fine_tuned, tuning_cost
from engine.pruning.scoring.scopes import Scope, choose
from engine.pruning.smaller import cut, whole
from engine.pruning.sweeping.asking import ask, prunable
from engine.pruning.sweeping.building import Workshop
from engine.pruning.sweeping.judged import Parts, Prepared, answers, parted
from engine.pruning.units import Groups, Kept
from engine.scores import Share, change_of, share_of

NETWORKS = ("dense", "gated", "sliced")


@dataclass(frozen=True, eq=False)
class Cut:
    """A smaller network, and what it keeps, costs and takes.

    Attributes:
        small: the network.
        kept: which units stay.
        labels: int32 ``(n,)``, true classes of the pictures judged on; −1 where there is none.
        dense_predicted: int32 ``(n,)``, what the whole network says; with ``predicted``.
        dense_costs: of the whole network; with ``costs``.
        latency: of "dense", "gated" and "sliced".
        tuned: what came of training; None where none was asked for.
        notes: what a user should know.
        skipped: pictures that could not be read: name, reason.
        used: passes.
        seconds: that all of it took.
    """

    small: LoadedModel
    kept: Kept
    labels: np.ndarray
    dense_predicted: np.ndarray
    predicted: np.ndarray
    dense_costs: Costs
    costs: Costs
    latency: Latency
    tuned: Tuned | None = None
    notes: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    used: Cost = field(default_factory=Cost)
    seconds: float = 0.0

    @property
    def labelled(self) -> bool:
        """Whether answers are held against labels; else against the whole network's."""
        return bool((self.labels != NONE).any())

    def accuracy(self) -> Share:
        """Return the share of right answers; without labels, of the whole network's answers."""
        return share_of(self._right(self.predicted))

    def dense_accuracy(self) -> Share:
        """Return the same of the whole network."""
        return share_of(self._right(self.dense_predicted))

    def change(self) -> Share:
        """Return accuracy minus that of the whole network, with a paired interval."""
        return change_of(self._right(self.dense_predicted), self._right(self.predicted))

    def agreement(self) -> Share:
        """Return how often the answer is that of the whole network."""
        return share_of(self.predicted == self.dense_predicted)

    def _right(self, predicted: np.ndarray) -> np.ndarray:
        truth = self.labels if self.labelled else self.dense_predicted
        return np.asarray((predicted == truth)[truth != NONE])


@dataclass(frozen=True, eq=False)
class CutPlan:
    """A smaller network that could be made, and its cost.

    Attributes:
        model: the whole one.
        groups: what can be removed from it.
        images: pictures to judge on.
        calibrating: pictures to score, repair and train with.
        parts: which of both sets.
        labels: true classes of ``images``, int32.
        criterion, ratio, scope, repair, overrides, round_to: as in ``prune``.
        recipe: how to train after the cut; None for no training.
        fit: how pictures are brought to the network's size.
        seed: of all that is drawn.
        workshop: scores units.
        cost: an upper bound of the passes, those to be timed included.
    """

    model: LoadedModel
    groups: Groups
    images: ImageSet
    calibrating: ImageSet
    parts: Parts
    labels: np.ndarray
    criterion: str
    ratio: float
    scope: Scope
    repair: Repair
    overrides: Mapping[str, float]
    round_to: int
    recipe: Recipe | None
    fit: Fit
    seed: int
    workshop: Workshop
    cost: Cost

    def told(self) -> dict[str, Any]:
        """Return what was asked for, as plain values."""
        names = ("criterion", "ratio", "scope", "repair", "round_to", "fit", "seed")
        return {
            **{name: getattr(self, name) for name in names},
            "overrides": dict(self.overrides),
            "fine_tuned": None if self.recipe is None else vars(self.recipe),
            "pictures": len(self.parts.judged),
            "calibration": len(self.parts.calibration),
        }

    def run(self, progress: Progress | None = None, cancel: Cancel | None = None) -> Cut:
        """Make the network, and hold it against the whole one.

        Args:
            progress: called with passes done and promised.
            cancel: an object with ``is_set()``, looked at before every pass.

        Raises:
            MethodError: a layer that cannot be cut, by its name.
            InputError: no picture can be read.
            Cancelled: the caller asked to stop; the model is as it was.
            OutOfMemory: one sample at a time does not fit.
        """
        return _run(self, Passes(self.model, self.cost, progress, cancel))


def plan_cut(
    model: Any,
    images: ImageSet,
    *,
    calibration: ImageSet | None = None,
    criterion: str = "group-l2",
    ratio: float = 0.5,
    scope: Scope = "uniform",
    repair: Repair = "both",
    overrides: Mapping[str, float] | None = None,
    round_to: int = 16,
    recipe: Recipe | None = None,
    fit: Fit = "crop",
    seed: int = 0,
) -> CutPlan:
    """Check a request for a smaller network, and return what it would cost.

    Args:
        model: a loaded model, a reference, or an ``nn.Module``.
        images: to judge on; labels are matched to the model's classes by name.
        calibration: to score, repair and train with; by default a third of ``images``, which is
            then not judged on.
        criterion, ratio, scope, repair, overrides, round_to: as in ``prune``.
        recipe: how to train after the cut: on the labels of the calibration pictures, without
            any on what the whole network says of them.
        fit: how pictures are brought to the network's size.
        seed: of all that is drawn.

    Raises:
        MethodError: nothing can be removed, or a criterion that does not suit.
        ParameterError: a ratio out of range, an unknown repair, scope or group.
        InputError: no picture, or the model knows none of the labels.
    """
    check_seed(seed)
    check_rounding(round_to)
    loaded = load_model(model)
    groups = prunable(loaded)
    asked = ask(loaded, groups, (criterion,), (ratio,), (repair,), scope, overrides, 1, (), ())
    calibrating, parts = parted(images, calibration, seed)
    workshop = Workshop(loaded, groups, calibrating, parts, fit)
    return CutPlan(
        model=loaded,
        groups=groups,
        images=images,
        calibrating=calibrating,
        parts=parts,
        labels=match_labels(images.labels, loaded.classes),
        criterion=criterion,
        ratio=asked.ratios[-1],
        scope=scope,
        repair=repair,
        overrides=asked.overrides,
        round_to=round_to,
        recipe=recipe,
        fit=fit,
        seed=seed,
        workshop=workshop,
        cost=_cost(workshop, criterion, repair, recipe, len(parts.judged)),
    )


def _cost(
    workshop: Workshop, criterion: str, repair: Repair, recipe: Recipe | None, judged: int
) -> Cost:
    cost = workshop.cost((criterion,), (repair,), 1) + Cost(2 * judged)
    if recipe is not None:
        taught = bool((workshop.pictures.labels == NONE).all())
        cost += tuning_cost(recipe, len(workshop.pictures), taught)
    return cost + latency_cost(len(NETWORKS))


def _run(plan: CutPlan, passes: Passes) -> Cut:
    started = time.perf_counter()
    passes.check()
    with telling_out_of_memory():
        pictures = Prepared(plan.model, plan.images, plan.parts.judged, plan.fit)
        chunks = Chunks(chunk_for(plan.model))
        dense, _ = answers(passes, chunks, plan.model, pictures)
        small, kept = _made(plan, passes)
        tuned = _tuned(plan, small, passes)
        small = small if tuned is None else tuned.model
        said, _ = answers(passes, chunks, small, pictures)
        latency = _timed(plan, kept, small, passes)
    return Cut(
        small=small,
        kept=kept,
        labels=plan.labels[pictures.places],
        dense_predicted=dense,
        predicted=said,
        dense_costs=costs_of(plan.model),
        costs=costs_of(small),
        latency=latency,
        tuned=tuned,
        notes=(plan.parts.note,) if plan.parts.note else (),
        skipped=tuple(
            (plan.images.entries[place].name, why)
            for place, why in sorted(pictures.skipped.items())
        ),
        used=passes.used,
        seconds=time.perf_counter() - started,
    )


def _made(plan: CutPlan, passes: Passes) -> tuple[LoadedModel, Kept]:
    """Return the smaller network, and which units stay."""
    workshop, groups = plan.workshop, plan.groups
    scores = workshop.scores((plan.criterion,), plan.seed, passes)[plan.criterion]
    chosen = choose(scores, groups, plan.ratio, plan.scope, plan.overrides)
    kept = rounded(groups, chosen, whole(groups, scores), plan.round_to)
    repairs = workshop.cost((), (plan.repair,), 1)
    small = cut(
        plan.model,
        kept,
        workshop.pictures,
        plan.repair,
        statistics=workshop.statistics,
        progress=passes.report,
        cancel=passes.cancel,
        criterion=plan.criterion,
        ratio=plan.ratio,
        scope=plan.scope,
    )
    passes.add(repairs)
    return small, kept


def _tuned(plan: CutPlan, small: LoadedModel, passes: Passes) -> Tuned | None:
    if plan.recipe is None:
        return None
    pictures = plan.workshop.pictures
    taught = bool((pictures.labels == NONE).all())
    found = fine_tuned(
        small,
        pictures,
        plan.recipe,
        teacher=plan.model if taught else None,
        progress=passes.report,
        cancel=passes.cancel,
    )
    passes.add(tuning_cost(plan.recipe, found.pictures, taught))
    return found


def _timed(plan: CutPlan, kept: Kept, small: LoadedModel, passes: Passes) -> Latency:
    networks = dict(zip(NETWORKS, (plan.model, gated_copy(plan.model, kept), small), strict=True))
    found = measure_latency(networks, progress=passes.report, cancel=passes.cancel)
    passes.add(latency_cost(len(NETWORKS)))
    return found
