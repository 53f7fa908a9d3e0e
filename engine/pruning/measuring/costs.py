"""What a network costs: parameters, multiply–accumulates, size on disk, layer by layer.

All is told by formula from one forward pass, also of a network with units removed, which need
not be built for it. A gated network costs what the dense one does: zeros are multiplied as well.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from engine.execution.passes import Cancel
from engine.models.loaded import LoadedModel
from engine.pruning.measuring.ledger import Work
from engine.pruning.measuring.shrinking import Shrinking
from engine.pruning.measuring.tracing import Trace, trace
from engine.pruning.units import Groups, Kept


@dataclass(frozen=True)
class LayerCosts:
    """What one layer costs, without the layers inside it.

    Attributes:
        name: as in ``named_modules``; "" is the network itself.
        kind: name of its class.
        parameters: number of its weights.
        macs: multiply–accumulates for one sample; those of an attention's scores and of its
            values belong to the layer in which they are computed.
        normalised: numbers that it normalises, which count as no multiply–accumulates.
    """

    name: str
    kind: str
    parameters: int
    macs: int
    normalised: int


@dataclass(frozen=True)
class Costs:
    """What a network costs.

    Attributes:
        parameters: number of weights; tied ones count once.
        macs: multiply–accumulates of one forward pass of one sample: convolutions, linear
            layers and attention. Normalisations, non-linearities and sums count as none.
        normalised: numbers that normalisations work on, told apart.
        size: bytes of all weights and running statistics; a file has a header of some kB more.
        layers: the same by layer, in the order in which they work; those without costs are
            left out.
        notes: what could not be counted, one line each.
    """

    parameters: int
    macs: int
    normalised: int
    size: int
    layers: tuple[LayerCosts, ...]
    notes: tuple[str, ...] = ()

    @property
    def flops(self) -> int:
        """Floating point operations: a multiplication and an addition for each of ``macs``."""
        return 2 * self.macs


def costs_of(
    model: LoadedModel,
    groups: Groups | None = None,
    kept: Kept | None = None,
    *,
    cancel: Cancel | None = None,
) -> Costs:
    """Return what a model costs, or what it would cost with units removed.

    Args:
        model: the whole one. It runs once on noise, when first asked about.
        groups, kept: what stays of which groups; by default everything.
        cancel: looked at before that pass.

    Raises:
        InputError: a group that is not there, or of which nothing is left.
        ModelError: no network, or its pass fails.
    """
    found = trace(model, cancel)
    left = Shrinking(groups, kept)
    parameters = {
        one.place: prod(left.shape(one.place, one.shape)) for one in found.stored if one.learned
    }
    size = sum(prod(left.shape(one.place, one.shape)) * one.itemsize for one in found.stored)
    layers = tuple(_layers(found, left, parameters))
    return Costs(
        parameters=sum(parameters.values()),
        macs=sum(layer.macs for layer in layers),
        normalised=sum(layer.normalised for layer in layers),
        size=size,
        layers=layers,
        notes=found.notes,
    )


def _layers(
    found: Trace, left: Shrinking, parameters: dict[tuple[str, str], int]
) -> Iterable[LayerCosts]:
    working = [work.layer for work in found.works]
    for name in dict.fromkeys([*working, *(layer for layer, _ in parameters)]):
        works = [work for work in found.works if work.layer == name]
        yield LayerCosts(
            name,
            found.kinds[name],
            sum(count for (layer, _), count in parameters.items() if layer == name),
            sum(_left(work, left) for work in works if work.kind != "norm"),
            sum(_left(work, left) for work in works if work.kind == "norm"),
        )


def _left(work: Work, left: Shrinking) -> int:
    return left.of_heads(left.of_tensor(work.amount, work.place, work.shape), work.site)
