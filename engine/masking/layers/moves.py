"""Rules for what only moves numbers about: the mask moves with them."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from engine.execution.call_names import words
from engine.execution.calls import tensors_in
from engine.masking.layers.kept import Border, Kept, Met, NoRule, Ruled

MOVES = words("""
    reshape view flatten unflatten ravel squeeze unsqueeze permute transpose t swapaxes swapdims
    movedim moveaxis adjoint expand repeat tile split chunk unbind iter tensor_split
    split_with_sizes unsafe_chunk unsafe_split getitem select narrow flip fliplr flipud roll rot90
    channel_shuffle native_channel_shuffle
""")


def moved(met: Met) -> Ruled:
    """Do the same to the mask as to the map."""
    full = met.mask.expand_as(met.x)
    found = met.run()
    if met.name == "iter":
        found = list(found)
        masks: Any = list(full.unbind(0))
    elif met.name == "view":
        masks = _reshaped(met, full)
    else:
        masks = met.on(full)
    several = [Kept(_shrunk(one)) for one in tensors_in(masks)]
    one = isinstance(found, torch.Tensor)
    if met.name == "iter":
        return found, several
    return found, several[0] if one else several


def _reshaped(met: Met, full: torch.Tensor) -> torch.Tensor:
    """A view of a mask that lies otherwise in memory than its map."""
    lengths = met.args[1:]
    if any(isinstance(one, torch.dtype) for one in lengths):
        raise NoRule("calls view with another type")
    return full.reshape(*lengths)


def _shrunk(mask: torch.Tensor) -> torch.Tensor:
    """Bring axes along which the mask repeats itself to length 1."""
    for axis, (stride, length) in enumerate(zip(mask.stride(), mask.shape, strict=True)):
        if stride == 0 and length > 1:
            mask = mask.narrow(axis, 0, 1)
    return mask


def padded(met: Met) -> Ruled:
    """Padding by the network: a border that windows do not count as kept.

    Mirrored, repeated and circular borders are moved with their masks (ours).
    """
    x, mask = met.x, met.mask
    sides = [int(one) for one in met.argument(1, "pad")]
    mode = str(met.argument(2, "mode", "constant"))
    found = met.run()
    if any(sides[4:]) and mask.shape[-3] == 1 and mode == "constant":
        sides = sides[:4]  # more channels: a mask of cells stays
    if x.ndim != 4 or (len(sides) > 4 and any(sides[4:])) or min(sides) < 0:
        raise NoRule("calls pad with other than rows and columns")
    sides = [*sides[:4], 0, 0, 0, 0][:4]
    if mode != "constant":
        return found, Kept(F.pad(mask.float(), sides, mode) > 0)
    wide = F.pad(mask, sides, value=True)
    value = met.argument(3, "value")
    left, right, top, bottom = sides
    border = Border(left, right, top, bottom, 0.0 if value is None else float(value))
    return found, Kept(wide, border if any(sides) and met.kept[0].border is None else None)
