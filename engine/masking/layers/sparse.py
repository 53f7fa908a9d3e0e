"""Rules of SparK's masking (tian2023designing): one coarse mask, laid on again after every layer.

The mask is drawn at a 32nd of the picture's resolution. It never grows: each convolution and pool
is computed as it is, with zeros where hidden, and the same mask is put on what comes out.
"""

from __future__ import annotations

from math import ceil

import torch
import torch.nn.functional as F

from engine.masking.layers.kept import Kept, Met, NoRule, Rule, Ruled
from engine.masking.layers.rules import rules_with
from engine.masking.layers.windows import adaptive_max_pool, average_pool, max_pool

REDUCTION = 32


def cells_of(keep: torch.Tensor) -> torch.Tensor:
    """Return which cells of 32 × 32 pixels stay, bool ``(n, 1, cells, cells)``.

    A cell stays if more than half of its pixels do (ours; the paper draws cells, not pixels).

    Args:
        keep: bool ``(n, 1, rows, columns)``.
    """
    rows, columns = (ceil(length / REDUCTION) for length in keep.shape[-2:])
    return F.adaptive_avg_pool2d(keep.float(), (rows, columns)) > 0.5


def sparse_rules(cells: torch.Tensor) -> dict[str, Rule]:
    """Return the rules for the masks of one batch.

    Args:
        cells: bool ``(n, 1, rows, columns)``, what stays.
    """

    def convolution(met: Met) -> Ruled:
        if met.x.ndim != 4:
            raise NoRule(f"calls {met.name} on a tensor of shape {tuple(met.x.shape)}")
        found = met.on(met.x)
        after = laid_on(cells, found)
        return torch.where(after, found, 0), Kept(after)

    def again(rule: Rule) -> Rule:
        def pool(met: Met) -> Ruled:
            found, kept = rule(met)
            if not isinstance(kept, Kept):
                return found, kept
            after = kept.mask & laid_on(cells, found)
            return torch.where(after, found, 0), Kept(after)

        return pool

    pools = {
        "max_pool2d": max_pool,
        "avg_pool2d": average_pool,
        "adaptive_avg_pool2d": average_pool,
        "adaptive_max_pool2d": adaptive_max_pool,
    }
    return {**rules_with(convolution), **{name: again(rule) for name, rule in pools.items()}}


def laid_on(cells: torch.Tensor, maps: torch.Tensor) -> torch.Tensor:
    """Bring the cells to the size of maps ``(n, channels, rows, columns)``; nearest cell."""
    return F.interpolate(cells.float(), maps.shape[-2:], mode="nearest") > 0
