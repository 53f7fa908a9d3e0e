"""Units that say nearly the same, merged into one (IFM)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from engine.models.loaded import LoadedModel
from engine.parameters import Parameter, Value
from engine.pruning.methods.method import Work
from engine.pruning.methods.outcome import Outcome
from engine.pruning.methods.weight_masks import copy_of
from engine.pruning.posthoc.base import PostHoc
from engine.pruning.scoring.tensors import numbers_of, tensor_of
from engine.pruning.units import Group, Groups, Span

_SAME = 1e-13  # of squared lengths
# Into which unit each went, in turn: unit that stays, unit that goes, their distance.
Merges = list[tuple[int, int, float]]


class Merging(PostHoc):
    """Averages the closest pair of units and sums what leaves them, again and again."""

    name: ClassVar[str] = "merging"
    title = "Iterative feature merging (IFM)"
    summary = "Merges the two most similar units of a layer into one, until enough have gone."
    paper = "chen2024going"
    caveat = (
        "Needs no pictures; exact where two units are the same. Distance is over all weights "
        "that make a unit, biases and batch norms' vectors too, each tensor in units of the root "
        "mean square of its rows; a unit that was merged before counts as many times in the "
        "average as it has members; batch norms are averaged entry by entry, running statistics "
        "as well (our definitions: recalibrating them afterwards mends most of what that costs). "
        "The same share goes of every layer, where the paper stops at a distance. Heads, and "
        "units of grouped convolutions, are not merged."
    )
    parameters = (
        Parameter(
            "ratio",
            "Units to merge away",
            "float",
            0.25,
            "Share of each layer's units, rounded down; one stays.",
            low=0.0,
            high=0.99,
        ),
    )

    def looks(self, parameters: Mapping[str, Value]) -> bool:
        """Weights tell it all."""
        return False

    def refusal(self, model: LoadedModel, groups: Groups) -> str:
        """There must be channels or hidden units."""
        told = "it has no channels or hidden units that can be merged"
        return "" if any(not problem_of(group) for group in groups.groups) else told

    def compute(self, work: Work) -> Outcome:
        """Return the merged network, and which units it keeps."""
        copy = copy_of(work.model, "merged")
        kept = work.groups.everything()
        merged: dict[str, Merges] = {}
        skipped = {one.name: problem_of(one) for one in work.groups.groups if problem_of(one)}
        chosen = [group for group in work.groups.groups if group.name not in skipped]
        done, total = 0, sum(int(work.number("ratio") * group.size) for group in chosen)
        for group in chosen:
            merging = Merger(copy.module, group)
            for _ in range(min(group.size - 1, int(work.number("ratio") * group.size))):
                work.passes.check()
                merging.step()
                done += 1
                if work.progress is not None:
                    work.progress(done, total)
            merging.apply()
            kept[group.name] = merging.alive
            merged[group.name] = merging.merges
        return Outcome(told={"merged": merged, "skipped": skipped}, kept=kept, model=copy)


def problem_of(group: Group) -> str:
    """Say why a group's units cannot be merged, or nothing if they can."""
    if group.kind == "heads":
        return "heads that attend alike need not hold the same numbers in the same places"
    if group.multiple != 1:
        return "its units go several at a time"
    return "" if group.producers else "nothing makes its units alone"


class Merger:
    """Merges units of one group.

    Attributes:
        alive: bool ``(size,)``: units that are left.
        merges: what was merged so far.

    Args:
        module: the network; changed by ``apply``, not before.
        group: whose units.
    """

    def __init__(self, module: nn.Module, group: Group) -> None:
        self.alive = np.ones(group.size, dtype=bool)
        self.merges: Merges = []
        self._module = module
        self._group = group
        self._rows = scaled_rows(module, group)  # (size, numbers)
        self._members = [[unit] for unit in range(group.size)]
        self._distance = _distances(self._rows)
        self._nearest = self._distance.argmin(axis=1)

    def step(self) -> None:
        """Merge the closest pair that is left: of equally close ones the first."""
        every = np.arange(len(self.alive))
        stays = int(self._distance[every, self._nearest].argmin())
        goes = int(self._nearest[stays])
        self.merges.append((stays, goes, float(self._distance[stays, goes])))
        ours, theirs = len(self._members[stays]), len(self._members[goes])
        self._rows[stays] = (ours * self._rows[stays] + theirs * self._rows[goes]) / (ours + theirs)
        self._members[stays] += self._members[goes]
        self.alive[goes] = False
        self._distance[goes] = self._distance[:, goes] = np.inf
        away = np.sqrt(((self._rows - self._rows[stays]) ** 2).sum(axis=1))
        away[~self.alive] = np.inf
        self._distance[stays, stays + 1 :] = away[stays + 1 :]
        self._distance[:stays, stays] = away[:stays]
        self._look_again(stays, goes)

    def _look_again(self, stays: int, goes: int) -> None:
        """Find the nearest of each unit again after a merge."""
        stale = np.isin(self._nearest, (stays, goes))
        stale[[stays, goes]] = True
        known = self._distance[np.arange(len(stale)), self._nearest]
        moved = self._distance[:, stays]
        closer = (moved < known) | ((moved == known) & (stays < self._nearest))
        self._nearest[closer & ~stale] = stays
        self._nearest[stale] = self._distance[stale].argmin(axis=1)

    @torch.no_grad()
    def apply(self) -> None:
        """Write the merged units into the network: means of what makes, sums of what reads."""
        pooled = [
            unit for unit in np.flatnonzero(self.alive).tolist() if len(self._members[unit]) > 1
        ]
        for span in self._group.producers:
            tensor = tensor_of(self._module, span)
            for unit in pooled:
                _put(tensor, span, unit, _taken(tensor, span, self._members[unit]).mean(dim=0))
        for span in self._group.consumers:
            tensor = tensor_of(self._module, span)
            for unit in pooled:
                _put(tensor, span, unit, _taken(tensor, span, self._members[unit]).sum(dim=0))
            for unit in np.flatnonzero(~self.alive).tolist():
                _put(tensor, span, unit, torch.zeros((), dtype=tensor.dtype, device=tensor.device))


def scaled_rows(module: nn.Module, group: Group) -> np.ndarray:
    """Return what makes each unit, float64 ``(size, numbers)``, of every tensor alike in size.

    Each tensor's rows are divided by their root mean square length, so that no tensor decides
    by its units alone.
    """
    parts = [np.zeros((group.size, 0))]
    for span in group.producers:
        rows = numbers_of(module, span).numpy()
        scale = np.sqrt((rows**2).sum(axis=1).mean())
        if scale > 0:
            parts.append(rows / scale)
    return np.concatenate(parts, axis=1)


def _distances(rows: np.ndarray) -> np.ndarray:
    """Return distances of all pairs above the diagonal, infinite elsewhere.

    What is nearer than rounding can tell counts as the same: distance 0.
    """
    lengths = (rows**2).sum(axis=1)
    sums = lengths[:, None] + lengths
    squares = sums - 2 * rows @ rows.T
    squares[squares < _SAME * sums] = 0
    distance: np.ndarray = np.sqrt(squares)
    distance[np.tril_indices(len(rows))] = np.inf
    return distance


def _taken(tensor: torch.Tensor, span: Span, units: Sequence[int]) -> torch.Tensor:
    """Return units' numbers in double precision, ``(units, places, …)``."""
    index = torch.from_numpy(span.index[list(units)].reshape(-1)).to(tensor.device)
    rows = tensor.double().index_select(span.dim, index).movedim(span.dim, 0)
    return rows.unflatten(0, (len(units), span.index.shape[1]))


def _put(tensor: torch.Tensor, span: Span, unit: int, value: torch.Tensor) -> None:
    """Write one unit's numbers, ``(places, …)``, or one number into all of them."""
    index = torch.from_numpy(span.index[unit]).to(tensor.device)
    tensor.movedim(span.dim, 0)[index] = value.to(tensor.dtype)
