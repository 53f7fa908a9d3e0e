"""``repaired``: what a cut network is given back without training."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Literal, get_args

import torch

from engine.errors import InputError, MethodError, ParameterError, nearest
from engine.execution.chunks import Chunks, chunk_for, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes, Progress
from engine.heads.pictures import Pictures
from engine.inputs.images import Fit
from engine.models.loaded import LoadedModel
from engine.pruning.cutting.making import described, pruned_of, with_numbers
from engine.pruning.repairing.compensating import Compensated, compensate, missing
from engine.pruning.repairing.flow import Flow, flow_of, running_norms
from engine.pruning.repairing.recalibrating import recalibrate, recalibration_cost
from engine.pruning.scoring.score import calibration_run, some_pictures
from engine.pruning.scoring.statistics import Statistics, read_statistics
from engine.pruning.units import Groups, Kept

Repair = Literal["none", "bn", "bias", "both"]
REPAIRS: tuple[Repair, ...] = get_args(Repair)
# Fewer calibrating pictures than so many for each class are few. Measured with nothing gone:
# scenes-resnet (10 classes) keeps 97.3 to 98.0 of 98.0 % with 2 to 64 pictures, imagenet-cnn (1000
# classes) keeps 6 to 21 % of its own answers with 2 to 64 crops of photographs.
FEW = 0.2


def usual_repair(model: LoadedModel, pictures: int) -> Repair:
    """Return the repair that a network is given where none was asked for.

    Batch norms that are recalibrated on pictures of few of the classes forget the others: then
    biases alone are compensated, which leaves a network as it is where nothing went. Our rule.

    Args:
        model: the untouched network.
        pictures: how many calibrate.
    """
    with model.ready() as module:
        norms = bool(running_norms(module))
    return "bias" if norms and pictures < FEW * len(model.classes) else "both"


def repaired(
    dense: LoadedModel,
    gated: LoadedModel,
    kept: Kept,
    groups: Groups,
    images: Any,
    repair: Repair = "none",
    *,
    statistics: Statistics | None = None,
    fit: Fit = "crop",
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> LoadedModel:
    """Return a copy of a gated network, repaired; to have it small, cut it after.

    In this order: what reads units that went is given back what they said on average, into its
    bias, but for readers in front of a batch norm; every batch norm's statistics are computed
    anew; last, readers after the last batch norm get theirs. With "bias" alone batch norms stay,
    and all readers are compensated.

    Args:
        dense: the network before the cut; left as it is.
        gated: its gated copy; left as it is.
        kept, groups: what went.
        images: to calibrate on: an image set, prepared inputs ``(n, …)``, or one input.
        repair: "none", "bn", "bias" or "both".
        statistics: of the dense network on these pictures, where ``score_units`` has read them:
            then biases cost no pass.
        fit: how pictures are brought to the network's size.
        progress: called with passes done and passes promised.
        cancel: an object with ``is_set()``, looked at before every pass.

    Returns:
        The copy. ``pruned_of`` of it tells, in ``made``: ``repair``, ``biases`` (layers whose
        bias was changed), ``means`` (batch norms whose running mean took the place of a bias),
        ``without`` (readers that have neither: not compensated), ``recalibrated`` and
        ``not_recalibrated`` (batch norms that run more than once in a pass).

    Raises:
        ParameterError: an unknown repair.
        MethodError: a network that is cut already.
        InputError: no pictures, or none can be read.
        Cancelled: the caller asked to stop.
        OutOfMemory: one sample at a time does not fit.
    """
    if repair not in REPAIRS:
        raise ParameterError(f"no repair {repair!r}; {nearest(str(repair), REPAIRS)}")
    made = pruned_of(gated)
    if made is not None and made.sliced:
        raise MethodError(f"{gated.card.title} is cut already: repair the gated copy, then cut it")
    if repair == "none":
        return gated
    if images is None:
        raise InputError(f"no pictures to calibrate on: repair={repair!r} needs some")
    with gated.ready() as module:
        copy = deepcopy(module)
    model = with_numbers(gated, copy)
    work = Repairing(dense, groups, some_pictures(dense, images, fit), statistics)
    passes = Passes(model, work.cost(repair) + work.reading(repair), progress, cancel)
    with telling_out_of_memory():
        told = work.repair(model, kept, repair, passes)
    return described(model, repair=repair, **told)


class Repairing:
    """Repairs one copy of a network after another; what they share is found once.

    Args:
        dense: the network before the cut; left as it is.
        groups: what can be removed from it.
        pictures: to calibrate on.
        statistics: of the dense network on them, where they have been read.
    """

    def __init__(
        self,
        dense: LoadedModel,
        groups: Groups,
        pictures: Pictures,
        statistics: Statistics | None = None,
    ) -> None:
        self.statistics = statistics
        self._dense, self._groups, self._pictures = dense, groups, pictures
        readers = [span.layer for group in groups.groups for span in group.consumers]
        self._flow = flow_of(Passes(dense), _blank(dense), readers)
        self._prepared: torch.Tensor | None = None

    def effective(self, kept: Kept, repair: str) -> str:
        """Return what of a repair does anything: "none", "bn", "bias" or "both".

        Without batch norms none is recalibrated, and where no unit went none is missing.
        """
        anew = repair in ("bn", "both") and bool(self._flow.norms)
        given = repair in ("bias", "both") and not all(stays.all() for stays in kept.values())
        return {(0, 0): "none", (1, 0): "bn", (0, 1): "bias", (1, 1): "both"}[anew, given]

    def cost(self, repair: str) -> Cost:
        """Return the passes of one repair; ``reading`` comes beside, once."""
        if repair in ("none", "bias") or not self._flow.norms:
            return Cost()
        return recalibration_cost(self._flow, len(self._pictures))

    def reading(self, repair: str) -> Cost:
        """Return the passes that tell what units say, where a repair needs that."""
        if repair in ("none", "bn") or self.statistics is not None:
            return Cost()
        return Cost(len(self._pictures))

    def repair(
        self, model: LoadedModel, kept: Kept, repair: str, passes: Passes
    ) -> dict[str, list[str]]:
        """Repair a copy of the network in place.

        Args:
            model: the copy, gated.
            kept: which units stay.
            repair: "none", "bn", "bias" or "both".
            passes: count.

        Returns:
            What was done, as ``repaired`` tells it.
        """
        if repair == "none":
            return {}
        lost: dict[str, torch.Tensor] = {}
        if repair != "bn":
            lost = missing(self._dense.module, self._groups, kept, self._read(passes).inputs)
        first, last = _stages(repair, list(lost), self._flow)
        told = self._give(model, lost, first)
        anew = repair != "bias" and bool(self._flow.norms)
        if anew:
            with passes.instead(model):
                recalibrate(passes, self._inputs(), self._flow, Chunks(chunk_for(model)))
        after = self._give(model, lost, last)
        return {
            "biases": [*told.biases, *after.biases],
            "means": [*told.means, *after.means],
            "without": [*told.without, *after.without],
            "recalibrated": list(self._flow.norms) if anew else [],
            "not_recalibrated": list(self._flow.often) if anew else [],
        }

    def _read(self, passes: Passes) -> Statistics:
        """Return what units of the dense network say; read once."""
        if self.statistics is None:
            with passes.instead(self._dense):
                run = calibration_run(self._dense, self._pictures, passes)
                self.statistics = read_statistics(run, self._groups)
        return self.statistics

    def _give(
        self, model: LoadedModel, lost: dict[str, torch.Tensor], readers: list[str]
    ) -> Compensated:
        with model.ready() as module:
            return compensate(module, lost, readers, self._flow)

    def _inputs(self) -> torch.Tensor:
        """Return all pictures that can be read, ``(n, …)``."""
        if self._prepared is None:
            self._prepared = _readable(self._pictures)
        return self._prepared


def _readable(pictures: Pictures) -> torch.Tensor:
    prepared: list[torch.Tensor] = []
    reason = ""
    for number in range(len(pictures)):
        try:
            prepared.append(pictures.prepared(number))
        except InputError as error:
            reason = reason or str(error)
    if not prepared:
        raise InputError(f"{pictures.name}: no picture could be read; {reason}")
    return torch.cat(prepared)


def _blank(model: LoadedModel) -> torch.Tensor:
    """Return an input of zeros, ``(1, …)``: it shows the way that all inputs go."""
    return torch.zeros((1, *model.spec.shape), device=model.device)


def _stages(repair: str, readers: list[str], flow: Flow) -> tuple[list[str], list[str]]:
    """Return the readers to compensate before batch norms are computed anew, and after."""
    if repair != "both":
        return readers, []
    early = [one for one in readers if not flow.late(one) and one not in flow.followed]
    return early, [one for one in readers if flow.late(one)]
