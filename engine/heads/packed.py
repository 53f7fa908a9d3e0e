"""Linear layers with their weights laid out once for oneDNN, which multiplies large ones sooner."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

_OPS = torch.ops.mkldnn
_NEEDED = ("_linear_pointwise", "_reorder_linear_weight")
# Numbers in a weight. Laying out a smaller one takes longer than it saves.
_FEWEST = 1 << 16


class PackedLinears:
    """Weights of linear layers in oneDNN's own layout, for passes without gradients.

    Numbers are those of ``F.linear`` but for rounding (1e-6 of the largest in what we measured).
    Each weight is laid out when it is first come to. The copies go with this object: it is meant
    for one run, since for good they would double what a model takes of memory, and laying out
    takes about a hundredth of a run's time.
    """

    def __init__(self) -> None:
        # The weight is kept beside, so that its id stays its own.
        self._known: dict[int, tuple[torch.Tensor, int, torch.Tensor]] = {}

    def linear(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> torch.Tensor | None:
        """Compute what ``F.linear`` is called with, or return None where that is not for here."""
        if kwargs or not 2 <= len(args) <= 3 or torch.is_grad_enabled():
            return None
        given, weight, *rest = args
        bias = rest[0] if rest else None
        if not (_is_weight(weight) and _is_plain(given) and given.ndim > 1 and given.numel()):
            return None
        if bias is not None and not _is_plain(bias):
            return None
        rows = given.numel() // given.shape[-1]
        packed = self._packed(weight, rows)
        found: torch.Tensor = _OPS._linear_pointwise(given, packed, bias, "none", [], "")
        return found

    def _packed(self, weight: torch.Tensor, rows: int) -> torch.Tensor:
        known = self._known.get(id(weight))
        if known is None or known[1] != weight._version:
            packed = _OPS._reorder_linear_weight(weight.detach(), rows)
            known = (weight, weight._version, packed)
            self._known[id(weight)] = known
        return known[2]


def can_pack(module: nn.Module) -> bool:
    """Whether this torch has oneDNN's linear layer, and a network has weights that it is for."""
    there = all(hasattr(_OPS, name) for name in _NEEDED)
    usable = there and torch.backends.mkldnn.is_available() and bool(torch.backends.mkldnn.enabled)
    return usable and any(_is_weight(one) for one in module.parameters())


def _is_weight(given: Any) -> bool:
    """Whether this is a large weight that stays, of plain float32 numbers on the CPU."""
    return (
        type(given) is nn.Parameter
        and _is_plain(given)
        and given.ndim == 2
        and given.numel() >= _FEWEST
    )


def _is_plain(given: Any) -> bool:
    return (
        type(given) in (torch.Tensor, nn.Parameter)
        and given.device.type == "cpu"
        and given.dtype == torch.float32
        and given.layout == torch.strided
    )
