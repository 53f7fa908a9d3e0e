"""Which axis of a stack of maps holds the channels."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import nn

_FIRST = (
    nn.Conv2d,
    nn.ConvTranspose2d,
    nn.BatchNorm2d,
    nn.GroupNorm,
    nn.InstanceNorm2d,
    nn.MaxPool2d,
    nn.AvgPool2d,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveMaxPool2d,
)
_LAST = (nn.Linear, nn.LayerNorm)


@dataclass
class Layouts:
    """Learns from torch's own layers how maps of a shape lie, for layers that do not say so."""

    known: dict[tuple[int, ...], bool] = field(default_factory=dict)

    def is_channels_last(self, part: nn.Module, maps: torch.Tensor) -> bool:
        """Return whether maps ``(n, …)`` lie as ``(n, rows, columns, channels)``.

        Torch's convolutions, and all that are derived from them, put channels first; its linear
        layers and layer norms last (libraries derive others from a layer norm). Any
        other module's maps lie as the last ones of that shape did; of a new shape, the two
        equal lengths are rows and columns, and where that does not tell, channels are first.
        """
        shape = tuple(maps.shape[1:])
        if isinstance(part, _FIRST) or type(part) in _LAST:
            self.known[shape] = type(part) in _LAST
        elif shape not in self.known:
            return shape[0] == shape[1] != shape[2]
        return self.known[shape]
