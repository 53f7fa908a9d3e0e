"""Rules for what looks through windows: convolutions and pools (balasubramanian2023towards)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from engine.masking.layers.kept import Kept, Met, NoRule, Rule, Ruled, hide_finite
from engine.masking.layers.neighbours import padded_by_neighbours

# What a convolution is given: its input, the mask, and how many cells its kernel reaches over.
Filling = Callable[[torch.Tensor, torch.Tensor, int], torch.Tensor]
Pair = tuple[int, int]
_EPSILON = 1e-8


def convolution(filling: Filling) -> Rule:
    """Return the rule: neighbour-pad, convolve, × m′ with m′ = maxpool(m; the same window).

    Neighbours are filled in as often as the kernel is wide, dilation included (ours). A window
    that sees nothing but padding counts as kept (ours), as it does when nothing is hidden.
    """

    def rule(met: Met) -> Ruled:
        x, kept = met.x, met.kept[0]
        _check_maps(met)
        weight = met.argument(1, "weight")
        kernel = (int(weight.shape[-2]), int(weight.shape[-1]))
        stride, dilation = (
            _pair(met.argument(3, "stride", 1)),
            _pair(met.argument(5, "dilation", 1)),
        )
        reach = tuple(d * (k - 1) + 1 for d, k in zip(dilation, kernel, strict=True))
        mask = _of_cells(kept.seen)
        found = met.on(_filled(x, kept, max(reach), filling))
        sides = _sides(met.argument(4, "padding", 0), reach)
        after = _dilated(mask, sides, kernel, stride, dilation)
        if any(side >= reach[0] for side in sides[2:]) or any(s >= reach[1] for s in sides[:2]):
            after = after | ~_dilated(torch.ones_like(mask), sides, kernel, stride, dilation)
        return hide_finite(found, after), Kept(after)

    return rule


def _filled(x: torch.Tensor, kept: Kept, reach: int, filling: Filling) -> torch.Tensor:
    if reach == 1 or bool(kept.mask.all()):
        return x  # a kernel of one cell sees no neighbours where its own cell is kept
    if kept.border is None:
        return filling(x, kept.mask, reach)
    inside = kept.border.inside(x), kept.border.inside(kept.mask)
    return kept.border.around(filling(*inside, reach))


def by_neighbours(x: torch.Tensor, mask: torch.Tensor, reach: int) -> torch.Tensor:
    """Fill in as layer masking does."""
    return padded_by_neighbours(x, mask, reach)


def _dilated(
    mask: torch.Tensor, sides: tuple[int, int, int, int], kernel: Pair, stride: Pair, dilation: Pair
) -> torch.Tensor:
    """Return which windows see a kept cell, ``(n, 1, rows, columns)``."""
    wide = F.pad(mask, sides, value=False).float()
    return F.max_pool2d(wide, kernel, stride, 0, dilation) > 0


def max_pool(met: Met) -> Ruled:
    """Pool with −∞ under the mask, × m′ with m′ = maxpool(m)."""
    x, kept = met.x, met.kept[0]
    _check_maps(met)
    if met.name.endswith("with_indices") or met.argument(6, "return_indices", False) is True:
        raise NoRule(f"asks {met.name} for its indices")
    found = met.on(torch.where(kept.mask, x, -math.inf))
    after = met.on(_of_cells(kept.seen).to(x.dtype)) > 0
    return torch.where(after, found, 0), Kept(after)


def average_pool(met: Met) -> Ruled:
    """pool(x) × m′ as published, m′ = avgpool(m) > 0; over the whole map, the global rule."""
    x, kept = met.x, met.kept[0]
    _check_maps(met)
    found = met.on(x)
    share = met.on(_of_cells(kept.seen).to(x.dtype))
    if _covers_all(met, x, found):
        return _over_share(found, share), None
    after = share > 0
    return torch.where(after, found, 0), Kept(after)


def _covers_all(met: Met, x: torch.Tensor, found: torch.Tensor) -> bool:
    if tuple(found.shape[-2:]) != (1, 1):
        return False
    if met.name.startswith("adaptive"):
        return True
    kernel = _pair(met.argument(1, "kernel_size"))
    return kernel == tuple(x.shape[-2:]) and _pair(met.argument(3, "padding", 0)) == (0, 0)


def adaptive_max_pool(met: Met) -> Ruled:
    """As the maximum pool; over the whole map nothing hidden is left."""
    if met.name.endswith("with_indices") or met.argument(2, "return_indices", False) is True:
        raise NoRule(f"asks {met.name} for its indices")
    x, kept = met.x, met.kept[0]
    _check_maps(met)
    found = met.on(torch.where(kept.mask, x, -math.inf))
    after = met.on(_of_cells(kept.seen).to(x.dtype)) > 0
    whole = tuple(found.shape[-2:]) == (1, 1)
    return torch.where(after, found, 0), None if whole else Kept(after)


def reduced(met: Met) -> Ruled:
    """Mean or maximum over axes: the global rule where the mask lies along them.

    mean(x·m) / (mean(m) + 1e-8); a maximum with −∞ under the mask. Over axes along which the
    mask is the same (channels) it stays (ours).
    """
    x, mask = met.x, met.mask
    axes = met.argument(1, "dim")
    if axes is None or isinstance(axes, bool):
        raise NoRule(f"calls {met.name} over all there is")
    places = {one % x.ndim for one in ((axes,) if isinstance(axes, int) else axes)}
    varying = {axis for axis in range(1, x.ndim) if mask.shape[axis] > 1}
    keepdim = bool(met.argument(2, "keepdim", False))
    if not varying & places and 0 not in places:
        found = met.run()
        if not isinstance(found, torch.Tensor):
            raise NoRule(f"calls {met.name} over an axis")
        left = mask if keepdim else _without(mask, places)
        return torch.where(left, found, 0), Kept(left)
    if not varying <= places or 0 in places:
        raise NoRule(f"calls {met.name} over some of the axes of its maps")
    if met.name == "mean":
        share = mask.to(x.dtype).mean(sorted(places), keepdim=keepdim)
        return _over_share(met.run(), share), None
    found = met.on(torch.where(mask, x, -math.inf))
    return torch.where(found.isneginf(), 0, found), None


def _over_share(found: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    """mean(x·m) / (mean(m) + 1e-8), in no less than float32."""
    wide = torch.promote_types(found.dtype, torch.float32)
    return (found.to(wide) / (share.to(wide) + _EPSILON)).to(found.dtype)


def _without(mask: torch.Tensor, places: set[int]) -> torch.Tensor:
    for place in sorted(places, reverse=True):
        mask = mask.squeeze(place)
    return mask


def _of_cells(mask: torch.Tensor) -> torch.Tensor:
    """Return the mask of each cell, ``(n, 1, rows, columns)``: kept where any channel is."""
    return mask if mask.shape[1] == 1 else mask.any(dim=1, keepdim=True)


def _check_maps(met: Met) -> None:
    if met.x.ndim != 4:
        raise NoRule(f"calls {met.name} on a tensor of shape {tuple(met.x.shape)}")


def _sides(padding: Any, reach: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return a convolution's own padding: left, right, top, bottom."""
    if padding == "valid":
        return (0, 0, 0, 0)
    if padding == "same":
        (down, across) = (one - 1 for one in reach)
        return (across // 2, across - across // 2, down // 2, down - down // 2)
    down, across = _pair(padding)
    return (across, across, down, down)


def _pair(value: Any) -> Pair:
    if isinstance(value, int):
        return value, value
    first, *rest = value
    return int(first), int(rest[0] if rest else first)
