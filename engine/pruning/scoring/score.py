"""``score_units``: how much each unit of a network matters, by many criteria in one pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.attention.site import AttentionSites
from engine.attention.sites import attention_sites
from engine.errors import InputError, MethodError
from engine.execution.chunks import Chunks, chunk_for, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes, Progress
from engine.heads.ablation import all_heads
from engine.heads.families.ablating import no_classes
from engine.heads.metrics.cross_entropy import CrossEntropy
from engine.heads.pictures import Pictures, load_pictures
from engine.heads.running import Run
from engine.inputs.images import Fit
from engine.models.loaded import LoadedModel
from engine.parameters import check_seed
from engine.pruning.scoring.criterion import Criterion, Material, judged
from engine.pruning.scoring.registry import criteria as all_criteria
from engine.pruning.scoring.registry import find_criterion
from engine.pruning.scoring.statistics import Statistics, read_statistics
from engine.pruning.units import Group, Groups

Scores = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class UnitScores(Mapping[str, Scores]):
    """Scores by the criterion's name, then the group's; float64 ``(size,)``, low goes first.

    Groups that a criterion cannot judge are left out: they stay whole.

    Attributes:
        refused: criteria that were left out because they suit no group of the network, and why.
        statistics: what pictures told of the units (means serve to compensate biases), or None.
        outcome: passes, pictures, where their classes are from, and pictures left out.
    """

    scores: Mapping[str, Scores]
    refused: Mapping[str, str] = field(default_factory=dict)
    statistics: Statistics | None = None
    outcome: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Scores:
        """Return the scores of one criterion, by the group's name."""
        return self.scores[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names of criteria."""
        return iter(self.scores)

    def __len__(self) -> int:
        """Return the number of criteria."""
        return len(self.scores)


def scores_cost(groups: Groups, criteria: Sequence[str], pictures: int) -> Cost:
    """Return an upper bound of the passes of ``score_units``."""
    needs = {find_criterion(name).needs for name in criteria}
    cost = Cost()
    if needs & {"activations", "gradients"}:
        cost += Cost(pictures, pictures if "gradients" in needs else 0)
    if "passes" in needs:
        heads = sum(group.size for group in groups.groups if group.kind == "heads")
        cost += Cost(pictures * (1 + heads))
    return cost


def score_units(
    model: LoadedModel,
    groups: Groups,
    images: Any = None,
    *,
    criteria: Sequence[str] | None = None,
    fit: Fit = "crop",
    seed: int = 0,
    statistics: bool = False,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> UnitScores:
    """Score all units by all criteria asked for; pictures go through once, there and back.

    Only "ablation" takes a pass for each head beside.

    Args:
        model: a loaded model.
        groups: its units, from ``find_groups``.
        images: an image set, prepared inputs ``(n, …)``, or one input; None where weights alone
            are asked.
        criteria: names; by default all that suit some group, but "ablation".
        fit: how pictures are brought to the network's size.
        seed: of the random control.
        statistics: read them even where no criterion needs them.
        progress: called with passes done and passes promised.
        cancel: an object with ``is_set()``, looked at before every pass.

    Raises:
        MethodError: an unknown criterion; one asked for by name that suits no group; a network
            without classes or without gradients.
        InputError: no pictures where some are needed, or none can be read.
        Cancelled: the caller asked to stop.
        OutOfMemory: one sample at a time does not fit.
    """
    check_seed(seed)
    chosen, refused = _chosen(model, groups, criteria)
    names = [one.name for one in chosen]
    reads = {one.needs for one in chosen} - {"weights"} or statistics
    if not reads:
        return UnitScores(_scored(chosen, Material(model, groups, seed)), refused)
    if images is None:
        needing = [one.title for one in chosen if one.needs != "weights"]
        if not needing:
            raise InputError("no pictures to calibrate on: to compensate biases some are needed")
        raise InputError(
            f"no pictures to calibrate on: {needing[0]} needs some; "
            "group-l2, filter-l1, fpgm and random need none"
        )
    pictures = some_pictures(model, images, fit)
    cost = scores_cost(groups, names, len(pictures))
    if statistics and not cost.total:
        cost = Cost(len(pictures))
    passes = Passes(model, cost, progress, cancel)
    run = calibration_run(model, pictures, passes, seed)
    with telling_out_of_memory():
        material = _material(run, groups, chosen, statistics, seed)
    return UnitScores(_scored(chosen, material), refused, material.statistics, _outcome(run))


def some_pictures(model: LoadedModel, images: Any, fit: Fit) -> Pictures:
    """Return pictures to calibrate on.

    Raises:
        InputError: there is none.
    """
    pictures = load_pictures(model, images, fit)
    if not len(pictures):
        raise InputError(f"no pictures to calibrate on: {pictures.name} is empty")
    return pictures


def calibration_run(model: LoadedModel, pictures: Pictures, passes: Passes, seed: int = 0) -> Run:
    """Return a piece of work over pictures, each asked about its own class."""
    return Run(
        model=model,
        found=AttentionSites(()),
        pictures=pictures,
        target=None,
        only=None,
        keep_one=False,
        parameters={},
        seed=seed,
        passes=passes,
        chunks=Chunks(chunk_for(model)),
    )


def _chosen(
    model: LoadedModel, groups: Groups, names: Sequence[str] | None
) -> tuple[list[Criterion], dict[str, str]]:
    """Return the criteria asked for, and why others are left out."""
    if names is not None:
        found = [find_criterion(name) for name in dict.fromkeys(names)]
        for one in found:
            _check(one, model, groups)
        return found, {}
    chosen, refused = [], {}
    for one in all_criteria().values():
        if one.needs == "passes":
            continue
        try:
            _check(one, model, groups)
        except MethodError as error:
            refused[one.name] = str(error)
            continue
        chosen.append(one)
    return chosen, refused


def _check(criterion: Criterion, model: LoadedModel, groups: Groups) -> None:
    """Raise ``MethodError`` if a criterion can judge no group."""
    judged(criterion, model, groups)
    if criterion.needs in ("gradients", "passes") and no_classes(model):
        raise MethodError(f"{criterion.title}: {no_classes(model)}")


def _material(
    run: Run, groups: Groups, chosen: Sequence[Criterion], statistics: bool, seed: int
) -> Material:
    needs = {one.needs for one in chosen}
    read = None
    if statistics or needs & {"activations", "gradients"}:
        metrics = [one.metric for one in chosen if one.metric is not None]
        read = read_statistics(run, groups, gradients="gradients" in needs, metrics=metrics)
    ablation = _ablated(run, groups) if "passes" in needs else {}
    return Material(run.model, groups, seed, read, ablation)


def _ablated(run: Run, groups: Groups) -> dict[str, np.ndarray]:
    """Return the mean rise of the loss without each head."""
    run.found = attention_sites(run.model)
    metric = CrossEntropy()
    run.labelled.clear()  # the same pictures again
    values = metric.family.compute(run, [metric])[metric.name].mean(axis=0)
    layers = np.array([layer for layer, _ in all_heads(run.found.sites)])
    heads = [group for group in groups.groups if group.kind == "heads"]
    return {group.name: values[layers == group.site] for group in heads}


def _scored(chosen: Sequence[Criterion], material: Material) -> dict[str, Scores]:
    def of(criterion: Criterion, found: Sequence[Group]) -> Scores:
        return {group.name: criterion.of_group(material, group) for group in found}

    model, groups = material.model, material.groups
    with model.ready():
        return {one.name: of(one, judged(one, model, groups)) for one in chosen}


def _outcome(run: Run) -> dict[str, Any]:
    used = run.passes.used
    return {
        "passes": {"forward": used.forward, "backward": used.backward},
        "chunk": run.chunks.size,
        "images": run.labelled.total(),
        "classes_from": {"labels": run.labelled[True], "predictions": run.labelled[False]},
        "skipped": [[run.pictures.names[i], why] for i, why in sorted(run.skipped.items())],
    }
