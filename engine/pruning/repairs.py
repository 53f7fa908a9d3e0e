"""``repaired``: what a cut network is given back without training."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Literal, get_args

import torch

from engine.errors import InputError, MethodError, ParameterError, nearest
from engine.execution.chunks import Chunks, chunk_for, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes, Progress
from engine.heads.pictures import Pictures, load_pictures
from engine.inputs.images import Fit
from engine.models.loaded import LoadedModel
from engine.pruning.compensating import Compensated, compensate, missing
from engine.pruning.flow import Flow, flow_of
from engine.pruning.making import described, pruned_of, with_numbers
from engine.pruning.recalibrating import recalibrate, recalibration_cost
from engine.pruning.scoring import calibration_run
from engine.pruning.statistics import Statistics, read_statistics
from engine.pruning.units import Groups, Kept

Repair = Literal["none", "bn", "bias", "both"]
REPAIRS: tuple[Repair, ...] = get_args(Repair)


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
    pictures = load_pictures(dense, images, fit)
    work = _Work(dense, model, groups, kept, pictures, progress, cancel)
    with telling_out_of_memory():
        told = work.run(repair, statistics)
    return described(model, repair=repair, **told)


class _Work:
    """One repair."""

    def __init__(
        self,
        dense: LoadedModel,
        model: LoadedModel,
        groups: Groups,
        kept: Kept,
        pictures: Pictures,
        progress: Progress | None,
        cancel: Cancel | None,
    ) -> None:
        self._dense = dense
        self._model = model
        self._groups = groups
        self._kept = kept
        self._pictures = pictures
        self._progress = progress
        self._cancel = cancel

    def run(self, repair: Repair, statistics: Statistics | None) -> dict[str, list[str]]:
        """Repair the copy in place; returns what is told."""
        probe = Passes(self._model, cancel=self._cancel)
        readers = [span.layer for group in self._groups.groups for span in group.consumers]
        flow = flow_of(probe, self._some(1), readers)
        passes = self._counted(repair, statistics, flow)
        lost: dict[str, torch.Tensor] = {}
        if repair != "bn":
            read = statistics or self._read(passes)
            lost = missing(self._dense.module, self._groups, self._kept, read.inputs)
        first, last = _stages(repair, list(lost), flow)
        told = self._give(lost, first, flow)
        if repair != "bias":
            x = self._some(len(self._pictures))
            recalibrate(passes, x, flow, Chunks(chunk_for(self._model)))
        after = self._give(lost, last, flow)
        anew = repair != "bias"
        return {
            "biases": [*told.biases, *after.biases],
            "means": [*told.means, *after.means],
            "without": [*told.without, *after.without],
            "recalibrated": list(flow.norms) if anew else [],
            "not_recalibrated": list(flow.often) if anew else [],
        }

    def _counted(self, repair: Repair, statistics: Statistics | None, flow: Flow) -> Passes:
        count, cost = len(self._pictures), Cost()
        if repair != "bn" and statistics is None:
            cost += Cost(count)
        if repair != "bias" and flow.norms:
            cost += recalibration_cost(flow, count)
        return Passes(self._model, cost, self._progress, self._cancel)

    def _read(self, passes: Passes) -> Statistics:
        """Return what units of the dense network say."""
        with passes.instead(self._dense):
            run = calibration_run(self._dense, self._pictures, passes)
            return read_statistics(run, self._groups)

    def _give(self, lost: dict[str, torch.Tensor], readers: list[str], flow: Flow) -> Compensated:
        with self._model.ready() as module:
            return compensate(module, lost, readers, flow)

    def _some(self, count: int) -> torch.Tensor:
        """Return the first pictures that can be read, ``(at most count, …)``."""
        prepared: list[torch.Tensor] = []
        reason = ""
        for number in range(len(self._pictures)):
            if len(prepared) == count:
                break
            try:
                prepared.append(self._pictures.prepared(number))
            except InputError as error:
                reason = reason or str(error)
        if not prepared:
            raise InputError(f"{self._pictures.name}: no picture could be read; {reason}")
        return torch.cat(prepared)


def _stages(repair: Repair, readers: list[str], flow: Flow) -> tuple[list[str], list[str]]:
    """Return the readers to compensate before batch norms are computed anew, and after."""
    if repair != "both":
        return readers, []
    early = [one for one in readers if not flow.late(one) and one not in flow.followed]
    return early, [one for one in readers if flow.late(one)]
