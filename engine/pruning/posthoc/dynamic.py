"""How many units a picture needs: filters that carry most of a layer's mass (FTWT)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch

from engine.errors import MethodError
from engine.execution.cost import Cost
from engine.heads.running import Batch
from engine.models.loaded import LoadedModel
from engine.models.outputs import probabilities_of
from engine.parameters import Parameter, Value
from engine.pruning.cutting.readings import NOT_SEEN, readers_of, reading, seen_where_read
from engine.pruning.measuring.costs import costs_of
from engine.pruning.methods.method import Work
from engine.pruning.methods.outcome import Outcome, Use
from engine.pruning.posthoc.base import PostHoc
from engine.pruning.units import Group, Groups

# Of one batch: units used by group, probabilities with all and with those.
_Part = tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor]


class FireTogether(PostHoc):
    """The oracle that FTWT's predictors learn: each picture keeps the filters that fire."""

    name: ClassVar[str] = "fire-together"
    title = "Filters a picture uses (FTWT)"
    summary = "Keeps, for each picture and layer, the filters that carry most of the layer's mass."
    paper = "elkerdawy2022fire"
    caveat = (
        "An oracle: it has to compute a filter to know that it was not needed, so nothing gets "
        "faster; FTWT trains a predictor to say it beforehand, and the network with it, which "
        "here stays as it is: accuracy falls further than theirs. Where several layers read a unit "
        "(residual connections), each keeps its own, and the unit counts as used if one does; "
        "for hidden units and heads mass is taken over tokens and numbers as over places (our "
        "definitions). At least one filter of each layer stays, that of the largest mass."
    )
    parameters = (
        Parameter(
            "mass",
            "Share of the mass",
            "float",
            0.95,
            "Filters are kept, the strongest first, while their mass together is no more than "
            "this share of the layer's (FTWT: 0.92 to 0.97).",
            low=0.01,
            high=1.0,
        ),
    )

    def refusal(self, model: LoadedModel, groups: Groups) -> str:
        """There must be units whose readers can be met in a pass."""
        if any(readers_of(model.module, group) for group in groups.groups):
            return ""
        return "none of its layers' units can be seen where they are read"

    def cost(self, pictures: int, parameters: Mapping[str, Value]) -> Cost:
        """Each picture twice: as the network is, and with its own filters alone."""
        return Cost(2 * pictures)

    def compute(self, work: Work) -> Outcome:
        """Return what each picture used."""
        seen = seen_where_read(work.model, work.groups.groups)
        if not seen:
            raise MethodError(
                f"{work.model.card.title}: no layer that reads units is called by itself"
            )
        parts: list[_Part] = []
        batches: list[Batch] = []
        for batch in work.batches():
            batches.append(batch)
            parts.append(_used(work, seen, batch))
        use = _joined(work, batches, parts)
        unseen = [group.name for group in work.groups.groups if group not in seen]
        told = {"skipped": dict.fromkeys(unseen, NOT_SEEN)}
        return Outcome(told=told, use=use)


def _used(work: Work, groups: Sequence[Group], batch: Batch) -> _Part:
    used: dict[str, torch.Tensor] = {}

    def gate(group: Group, _layer: str, x: torch.Tensor) -> torch.Tensor:
        kept = strongest(mass_of(x, len(batch.x)), work.number("mass"))
        known = used.get(group.name)
        used[group.name] = kept if known is None else known | kept
        return kept

    model = work.model
    with torch.no_grad(), model.ready() as module:
        dense = probabilities_of(work.passes.forward(batch.x), model.activation)
        with reading(module, groups, gate):
            masked = probabilities_of(work.passes.forward(batch.x), model.activation)
    return {name: kept.cpu() for name, kept in used.items()}, dense.cpu(), masked.cpu()


def mass_of(x: torch.Tensor, count: int) -> torch.Tensor:
    """Return each unit's mass, its largest |activation|: ``(n, size, …)`` → ``(count, size)``.

    Where n is a multiple of the samples, their windows follow one another.
    """
    largest = x.detach().abs().flatten(2).amax(dim=2)
    return largest.unflatten(0, (count, -1)).amax(dim=1)


def strongest(mass: torch.Tensor, share: float) -> torch.Tensor:
    """Return which units carry a share of the mass.

    Units are taken the strongest first while their masses add up to no more than the share of
    the sum. The first is always taken; where all masses are zero, it alone.

    Args:
        mass: ``(n, size)``, not below 0.
        share: of the sum, up to 1: all.

    Returns:
        bool ``(n, size)``.
    """
    ordered, order = mass.double().sort(dim=1, descending=True, stable=True)
    running = ordered.cumsum(dim=1)
    total = running[:, -1:]
    taken = (running <= share * total) & (total > 0)
    taken[:, 0] = True
    return torch.zeros_like(taken).scatter(1, order, taken)


def _joined(work: Work, batches: Sequence[Batch], parts: Sequence[_Part]) -> Use:
    numbers = [number for batch in batches for number in batch.numbers]
    used = {
        group.name: torch.cat([part[0][group.name] for part in parts]).numpy()
        for group in work.groups.groups
        if group.name in parts[0][0]
    }
    return Use(
        names=tuple(work.shown.names[number] for number in numbers),
        labels=np.concatenate([batch.labels.numpy() for batch in batches]),
        used=used,
        dense=torch.cat([part[1] for part in parts]).double().numpy(),
        masked=torch.cat([part[2] for part in parts]).double().numpy(),
        all_macs=costs_of(work.model).macs,
        macs=np.array([_macs(work, used, index) for index in range(len(numbers))]),
    )


def _macs(work: Work, used: Mapping[str, np.ndarray], index: int) -> int:
    work.passes.check()
    kept = {name: units[index] for name, units in used.items()}
    return costs_of(work.model, work.groups, kept).macs
