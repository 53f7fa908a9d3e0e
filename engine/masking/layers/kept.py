"""What is known of an activation: which of its places stay; and the call that meets it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from engine.errors import HaloscopeError


class NoRule(HaloscopeError):
    """A call that there is no rule for; says what it does ("calls group_norm")."""


@dataclass(frozen=True, eq=False)
class Border:
    """Rows and columns of a constant that the network itself has put around a map.

    Attributes:
        left, right, top, bottom: how many.
        value: the constant.
    """

    left: int
    right: int
    top: int
    bottom: int
    value: float

    def inside(self, maps: torch.Tensor) -> torch.Tensor:
        """Cut the border off ``(…, rows, columns)``."""
        rows, columns = maps.shape[-2:]
        return maps[..., self.top : rows - self.bottom, self.left : columns - self.right]

    def around(self, maps: torch.Tensor) -> torch.Tensor:
        """Put the border on."""
        sides = (self.left, self.right, self.top, self.bottom)
        return torch.nn.functional.pad(maps, sides, value=self.value)

    def emptied(self, mask: torch.Tensor) -> torch.Tensor:
        """Return a mask with its border not kept, as a convolution's own padding is not."""
        sides = (self.left, self.right, self.top, self.bottom)
        return torch.nn.functional.pad(self.inside(mask), sides, value=False)


@dataclass(frozen=True, eq=False)
class Kept:
    """The mask of an activation. Where it is hidden, the activation is 0.

    Attributes:
        mask: bool, as many axes as the activation and broadcastable to it; True = stays. An
            axis along which it is the same (channels) has length 1. A border counts as kept.
        border: what the network has just put around it, if anything.
    """

    mask: torch.Tensor
    border: Border | None = None

    @property
    def seen(self) -> torch.Tensor:
        """The mask as windows see it: a border, like padding, is none of the kept places."""
        return self.mask if self.border is None else self.border.emptied(self.mask)


@dataclass(frozen=True, eq=False)
class Met:
    """One call of torch with activations that have masks among its arguments.

    Attributes:
        function, args, kwargs: the call as it was made.
        name: in all spellings alike: "relu" for ``relu_``, "add" for ``+=``.
        kept: the masks, each as often as its activation occurs, in their order.
        held: those activations.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    name: str
    kept: tuple[Kept, ...]
    held: tuple[torch.Tensor, ...]

    @property
    def x(self) -> torch.Tensor:
        """The one activation of a call that takes one, as its first argument.

        Raises:
            NoRule: there are several, or it stands elsewhere.
        """
        first = self.args[0] if self.args else self.kwargs.get("input")
        if len(self.held) != 1 or first is not self.held[0]:
            raise NoRule(f"calls {self.name} on more than one map")
        return self.held[0]

    @property
    def mask(self) -> torch.Tensor:
        """Its mask."""
        return self.kept[0].mask

    def run(self) -> Any:
        """Make the call as it is."""
        return self.function(*self.args, **self.kwargs)

    def on(self, value: torch.Tensor) -> Any:
        """Make it on something else in place of its first argument."""
        if self.args:
            return self.function(value, *self.args[1:], **self.kwargs)
        return self.function(**{**self.kwargs, "input": value})

    def argument(self, place: int, name: str, default: Any = None) -> Any:
        """Return an argument by its place or its name."""
        return self.args[place] if place < len(self.args) else self.kwargs.get(name, default)


# What a rule returns: the call's result, and the mask of each tensor in it, or None where what
# was hidden is out of it for good.
Ruled = tuple[Any, Kept | list[Kept] | None]
Rule = Callable[[Met], Ruled]


def hide(found: torch.Tensor, mask: torch.Tensor, met: Met) -> torch.Tensor:
    """Put zeros where a mask hides, in place if the call itself was made so."""
    if any(found is one for one in met.held):
        return found.masked_fill_(~mask, 0)
    return torch.where(mask, found, 0)


def hide_finite(found: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The same for what a call has just made and is finite: a product in place, which is faster."""
    if found.requires_grad:
        return torch.where(mask, found, 0)
    return found.mul_(mask.to(found.dtype))
