"""What is known in the middle of a traced pass: labels of tensors, and where units lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import nn
from torch.utils.weak import WeakIdKeyDictionary

from engine.execution.calls import innermost_layer, layer_names
from engine.pruning.finding.following.labels import Units, all_same, along, compact, still

Role = Literal["filters", "rows", "vector", "columns"]
Place = tuple[str, str]  # a layer, and the name of one of its tensors

CONSTANT = "it is combined with numbers that are computed, which cannot be cut"
_LARGEST = 2_000_000  # numbers of a parameter that is followed one by one


@dataclass(frozen=True, eq=False)
class Record:
    """One axis of one tensor of the network, and the label of each place along it.

    Attributes:
        layer, tensor, dim: as in ``Span``.
        labels: int64, one for each place.
        role: what its places are of units: the "filters" or "rows" that make them, a "vector" of
            numbers of their own, or the "columns" that read them.
    """

    layer: str
    tensor: str
    dim: int
    labels: np.ndarray
    role: Role = "vector"


class Following:
    """The state of a traced pass.

    Args:
        module: the network.

    Attributes:
        units: which labels go together.
        records: of all tensors that have units, in the order of the pass.
        attentions: of each attention its number, the layer that computes it, and the label of
            each of its heads.
        index: number of the attention that was just computed, or None.
    """

    def __init__(self, module: nn.Module) -> None:
        self.units = Units()
        self.records: list[Record] = []
        self.attentions: list[tuple[int, str, np.ndarray]] = []
        self.index: int | None = None
        self._names = layer_names(module)
        self._weighty = {name for name, part in module.named_modules() if _has_weights(part)}
        self._own = _own_tensors(module)
        self._labels: Any = WeakIdKeyDictionary()
        self._used: dict[Place, list[np.ndarray]] = {}

    @property
    def layer(self) -> str:
        """Name of the layer whose code is running."""
        return innermost_layer(self._names) or "the network"

    @property
    def attending(self) -> str:
        """Name of the innermost layer with weights whose code is running: an attention's own."""
        name = innermost_layer(self._names)
        while name and name not in self._weighty:
            name = name.rpartition(".")[0]
        return name

    # Labels of tensors.

    def knows(self, tensor: torch.Tensor) -> bool:
        """Whether a tensor has labels, or is the network's own and can have them."""
        return tensor in self._labels or self.is_own(tensor)

    def is_labelled(self, tensor: torch.Tensor) -> bool:
        """Whether a tensor has labels."""
        return tensor in self._labels

    def is_own(self, tensor: torch.Tensor) -> bool:
        """Whether it is a parameter or a buffer of the network."""
        return id(tensor) in self._own

    def set(self, tensor: torch.Tensor, labels: torch.Tensor) -> None:
        """Label a tensor; labels are of its shape, or of one that spreads to it."""
        self._labels[tensor] = labels.expand(tensor.shape)

    def label(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return the labels of a tensor; those of a parameter are made where there are none.

        What is neither is a constant: it is one unit that stays.
        """
        found = self._labels.get(tensor)
        if found is None:
            found = self._labels[tensor] = self._fresh(tensor)
        labels: torch.Tensor = found
        return labels

    def _fresh(self, tensor: torch.Tensor) -> torch.Tensor:
        if not self.is_own(tensor) or tensor.numel() > _LARGEST:
            return all_same(self.units.fixed(CONSTANT), tensor.shape)
        if self.place(tensor) is None:
            return all_same(self.units.fixed(self.not_own(tensor)), tensor.shape)
        return torch.from_numpy(self.units.fresh(tensor.numel())).reshape(tensor.shape)

    def fix(self, labels: torch.Tensor, reason: str) -> None:
        """Let nothing of this be removed."""
        self.units.fix(compact(labels).numpy(), reason)

    def join(self, one: torch.Tensor, other: torch.Tensor) -> None:
        """Let two tensors lose units together, place by place."""
        first, second = torch.broadcast_tensors(compact(one), compact(other))
        self.units.join(first.numpy(), second.numpy())

    def line(self, labels: torch.Tensor, axis: int) -> np.ndarray:
        """Return the label of each place along an axis; what shares a place goes together."""
        found = along(labels, axis, self.units)
        if found is None:
            first = small = compact(labels)
            for other in range(labels.ndim):
                if other != axis % labels.ndim:
                    first = first.narrow(other, 0, 1)
            self.join(small, first)
            found = along(labels, axis, self.units)
        return np.asarray(found)

    def mixed(self, labels: torch.Tensor, axes: Sequence[int]) -> torch.Tensor:
        """Tie together what lies along axes; returns labels that stand still along them."""
        axes = [axis % labels.ndim for axis in axes]
        found = still(labels, axes, self.units)
        if found is None:
            found = small = compact(labels)
            lines = small.movedim(tuple(axes), tuple(range(-len(axes), 0))).flatten(-len(axes))
            why = f"its units go together: {self.layer} mixes all of them"
            self.units.join_all(lines.numpy(), why)
            for axis in axes:
                found = found.narrow(axis, 0, 1)
        return found.expand(labels.shape)

    # The network's own tensors.

    def place(self, tensor: torch.Tensor | None) -> Place | None:
        """Return layer and name of a parameter that can be cut, or None."""
        own = None if tensor is None else self._own.get(id(tensor))
        return own[1][0] if own is not None and len(own[1]) == 1 else None

    def not_own(self, tensor: torch.Tensor) -> str:
        """Say why a weight cannot be cut: it is computed, or shared by several layers."""
        own = self._own.get(id(tensor))
        if own is None:
            return f"the weights of {self.layer} are computed"
        told = " and ".join(said(*place) for place in own[1][:2])
        return f"{told} share their numbers (tied weights)"

    def weigh(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        rows: np.ndarray,
        columns: np.ndarray | None,
        dims: tuple[int, int] = (0, 1),
    ) -> None:
        """Note rows and columns of a weight; both stay where it cannot be cut.

        Args:
            weight, bias: of the layer.
            rows: label of each unit that it makes.
            columns: label of each unit that it reads; None where these are the rows' own.
            dims: of the weight along which rows and columns lie.
        """
        role: Role = "filters" if weight.ndim > 2 else "rows"
        self.use(weight, rows, dims[0], role, rows if columns is None else columns)
        if columns is not None and self.place(weight) is not None:
            layer, name = self.place(weight) or ("", "")
            self.records.append(Record(layer, name, dims[1], columns, "columns"))
        if bias is not None:
            self.use(bias, rows)

    def use(
        self,
        tensor: torch.Tensor,
        line: np.ndarray,
        dim: int = 0,
        role: Role = "vector",
        also: np.ndarray | None = None,
    ) -> None:
        """Note one axis of a parameter; units stay where it cannot be cut, or is used twice.

        Args:
            tensor: the parameter.
            line: label of each place along the axis.
            dim: the axis.
            role: as in ``Record``.
            also: labels of other units that stay if these do.
        """
        every = line if also is None else np.concatenate([line, also])
        place = self.place(tensor)
        if place is None:
            self.units.fix(every, self.not_own(tensor))
            _, places = self._own.get(id(tensor), (tensor, []))
            self.records.extend(Record(*tied, dim, line, role) for tied in places)
            return
        uses = self._used.setdefault(place, [])
        uses.append(every)
        if len(uses) > 1:
            told = f"{place[0] or 'the network itself'} is used more than once in a pass"
            for labels in uses:
                self.units.fix(labels, told)
        self.records.append(Record(*place, dim, line, role))

    def finish(self) -> None:
        """Note the parameters that were followed number by number."""
        for tensor, places in self._own.values():
            if tensor in self._labels and places[0] not in self._used:
                self._note(places[0], self._labels[tensor])

    def _note(self, place: Place, labels: torch.Tensor) -> None:
        found = self.units.find(compact(labels).numpy())
        varying = [
            axis for axis in range(found.ndim) if not (found == found.take([0], axis=axis)).all()
        ]
        line = along(labels, varying[0], self.units) if len(varying) == 1 else None
        if line is not None:
            self.records.append(Record(*place, varying[0], line))
        elif varying:
            told = f"{said(*place)} holds numbers for it in more than one direction"
            self.units.fix(found, told)


def said(layer: str, name: str) -> str:
    """Return the full name of a parameter."""
    return f"{layer}.{name}" if layer else name


def _has_weights(part: nn.Module) -> bool:
    return next(part.parameters(), None) is not None


def _own_tensors(module: nn.Module) -> dict[int, tuple[torch.Tensor, list[Place]]]:
    """Return parameters and buffers of floats by identity, each with all its places."""
    found: dict[int, tuple[torch.Tensor, list[Place]]] = {}
    for layer, part in module.named_modules():
        for name, tensor in {**part._parameters, **part._buffers}.items():
            if tensor is not None and tensor.is_floating_point():
                found.setdefault(id(tensor), (tensor, []))[1].append((layer, name))
    return found
