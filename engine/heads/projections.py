"""What each head puts out, and the part of the output projection that is its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F

from engine.attention.gates import Gates
from engine.attention.interception import Fused
from engine.attention.site import AttentionSite, AttentionSites
from engine.errors import one_line
from engine.execution.passes import Passes
from engine.models.loaded import LoadedModel


@dataclass(frozen=True)
class Columns:
    """Where the heads stand in what the output projections are given.

    Attributes:
        of: of each layer int64 ``(heads, width)``, the columns of each head.
        reason: why they cannot be told, or empty.
    """

    of: tuple[torch.Tensor, ...] = ()
    reason: str = ""


class Projecting(Gates):
    """Keeps what the linear layer next after each attention is given, and its weight.

    Attributes:
        given: ``(…, columns)`` of each attention.
        weights: ``(width, columns)`` of each.
    """

    def __init__(self, gates: Mapping[int, torch.Tensor] | None = None) -> None:
        super().__init__(gates or {})
        self.given: dict[int, torch.Tensor] = {}
        self.weights: dict[int, torch.Tensor] = {}
        self._awaited: int | None = None

    def fused(self, index: int, call: Fused) -> torch.Tensor:
        """Run, and wait for the layer after it."""
        self._awaited = index
        return super().fused(index, call)

    def weighted(
        self, index: int, weights: torch.Tensor, plain: Callable[[], torch.Tensor]
    ) -> torch.Tensor:
        """Run, and wait for the layer after it."""
        self._awaited = index
        return super().weighted(index, weights, plain)

    def other(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Keep input and weight of the linear layer that was waited for."""
        if func is F.linear and self._awaited is not None and len(args) > 1:
            self.given[self._awaited], self.weights[self._awaited] = args[0], args[1].detach()
            self._awaited = None
        return func(*args, **kwargs)


_found: WeakKeyDictionary[LoadedModel, Columns] = WeakKeyDictionary()
_guard = Lock()


def find_columns(model: LoadedModel, found: AttentionSites) -> Columns:
    """Find the heads' columns, once for each loaded model.

    Heads are numbered in binary digits; for each digit one pass is run with the heads closed
    that have it. A column that vanishes in just the passes of one number is that head's.
    """
    with _guard:
        known = _found.get(model)
    if known is None:
        try:
            known = _looked(model, found.sites)
        except Exception as error:  # the network is the user's own code
            known = Columns(reason=f"{model.card.title}: its heads' outputs: {one_line(error)}")
        with _guard:
            _found[model] = known
    return known


def _looked(model: LoadedModel, sites: Sequence[AttentionSite]) -> Columns:
    generator = torch.Generator().manual_seed(4)
    drawn = torch.randn((1, *model.spec.shape), generator=generator)
    x = drawn.to(model.device, getattr(torch, model.dtype))
    digits = max(site.heads for site in sites).bit_length()
    alive, rows = _vanishing(model, x, sites, None)
    each = [_vanishing(model, x, sites, digit)[0] for digit in range(digits)]
    columns = []
    for site in sites:
        place = site.index
        if place not in alive or rows[place] != site.windows * site.queries:
            return Columns(reason=_none(model, site))
        numbers = sum((each[digit][place].long() << digit) for digit in range(digits)) - 1
        own = [((numbers == head) & ~alive[place]).nonzero()[:, 0] for head in range(site.heads)]
        width = len(alive[place]) // site.heads
        if any(len(one) != width for one in own):
            return Columns(reason=_none(model, site))
        columns.append(torch.stack(own))
    return Columns(tuple(columns))


def _vanishing(
    model: LoadedModel, x: torch.Tensor, sites: Sequence[AttentionSite], digit: int | None
) -> tuple[dict[int, torch.Tensor], dict[int, int]]:
    """Return which columns are zero when the heads are closed whose number has a digit.

    And how many rows each projection is given.
    """
    gates = {} if digit is None else {site.index: _open(site.heads, digit) for site in sites}
    with torch.no_grad(), Projecting(gates) as mode:
        Passes(model).forward(x)
    flat = {place: given.flatten(0, -2) for place, given in mode.given.items()}
    zero = {place: (given == 0).all(dim=0).cpu() for place, given in flat.items()}
    return zero, {place: len(given) for place, given in flat.items()}


def _open(heads: int, digit: int) -> torch.Tensor:
    numbers = torch.arange(1, heads + 1)  # 0 would be closed in no pass
    return 1.0 - ((numbers >> digit) & 1)


def _none(model: LoadedModel, site: AttentionSite) -> str:
    name = f" ({site.name})" if site.name else ""
    return (
        f"{model.card.title}: attention {site.index}{name} is followed by no linear layer that "
        "is given the heads' outputs side by side"
    )
