"""How much attention a head gives to one token (voita2019analyzing)."""

from __future__ import annotations

import torch

from engine.heads.families.maps import MapMetric


class Confidence(MapMetric):
    """Mean over tokens of the largest attention weight."""

    name = "confidence"
    title = "Confidence"
    summary = "How much of its attention a head gives to a single token."
    unit = "mean of the largest attention weight (0 to 1)"
    paper = "voita2019analyzing"
    caveat = (
        "Looks at no outcome: a head may stare at one token and change nothing. In windows of "
        "fewer tokens the largest weight is larger."
    )

    def of_maps(self, maps: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Return it for each picture and head, ``(n, heads)``; padding does not count."""
        largest = maps.amax(dim=-1)  # (n, windows, heads, slots)
        weight = real[:, None].to(largest)  # (windows, 1, slots)
        return (largest * weight).sum(dim=(1, 3)) / weight.sum()
