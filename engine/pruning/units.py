"""What can be removed from a network: groups of units, and where each unit's numbers lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Kind = Literal["channels", "hidden", "heads"]
# Which units of each group stay: group's name → bool (size,).
Kept = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Span:
    """Where the units of a group lie in one tensor of the network.

    Attributes:
        layer: name of the module that holds the tensor, as in ``named_modules``.
        tensor: its name there ("weight", "bias", "running_mean", "in_proj_weight" …).
        dim: the dimension along which units lie.
        index: int64 ``(size, k)``: the k places of each unit along that dimension.
    """

    layer: str
    tensor: str
    dim: int
    index: np.ndarray


@dataclass(frozen=True, eq=False)
class Group:
    """Units that can only be removed together in all layers that share them.

    Removing a unit removes its rows from all producers and its columns from all consumers. A
    network whose consumers' columns are zero for a unit computes what it would without the unit:
    that is how units are *gated*.

    Attributes:
        name: of the layer that makes the units ("layer1.conv1"; of heads the attention's block).
        title: what people call it.
        kind: "channels" of convolutions, "hidden" units of fully connected layers, "heads".
        size: number of units.
        producers: rows of weights, biases, normalisation (weight, bias, running statistics) and
            depthwise convolutions that exist for these units alone.
        consumers: columns of the weights that read the units. Of each the layer's input is where
            activations are read, after normalisation and non-linearity.
        site: number of the attention, for heads; else −1.
        multiple: how many units are removed at a time (grouped convolutions), 1 as a rule.
        attention: name of the module that computes the attention, for heads; else "".
    """

    name: str
    title: str
    kind: Kind
    size: int
    producers: tuple[Span, ...]
    consumers: tuple[Span, ...]
    site: int = -1
    multiple: int = 1
    attention: str = ""

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of all layers that change with the group, each once."""
        return tuple(dict.fromkeys(span.layer for span in (*self.producers, *self.consumers)))


@dataclass(frozen=True, eq=False)
class Groups:
    """All that can be removed from a network, in the order of the forward pass.

    Attributes:
        groups: as said.
        refused: layers of which nothing can be removed, and why, in one line each: the output,
            tied weights, a layer used twice, grouped convolutions that cannot be balanced …
    """

    groups: tuple[Group, ...]
    refused: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Group:
        """Return the group of a name."""
        return next(group for group in self.groups if group.name == name)

    @property
    def units(self) -> int:
        """Number of units in all groups."""
        return sum(group.size for group in self.groups)

    def everything(self) -> dict[str, np.ndarray]:
        """Return what keeps all units."""
        return {group.name: np.ones(group.size, dtype=bool) for group in self.groups}
