"""One call of torch during a forward pass, and which parts of it depend on the input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from engine.execution.calls import mapped, plain_name, said_name, tensors_in

# Calls that are handed the weights themselves: attributes, and what is asked of a leaf.
_OF_LEAVES = frozenset({"__get__", "__set__", "__delete__", "requires_grad_", "register_hook"})


@dataclass(frozen=True, eq=False)
class Call:
    """A call as torch made it; weights in it are constants.

    Attributes:
        function: what was called.
        args, kwargs: with what; weights are detached, so that only what depends on the input
            asks for gradients.
        name: its name in all spellings alike: "relu" for ``relu_``, "add" for ``+=``.
        in_place: the result takes the place of the first argument.
        dependents: the tensors that depend on the input, each as often as it occurs.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    name: str
    in_place: bool
    dependents: tuple[torch.Tensor, ...]

    @classmethod
    def of(cls, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call:
        """Read a call as a torch function mode gets it."""
        said = said_name(function)
        if said not in _OF_LEAVES:
            args, kwargs = mapped(args, _constant), mapped(kwargs, _constant)
        for word in ("input", "self"):
            if not args and word in kwargs:
                args, kwargs = (kwargs[word],), {k: v for k, v in kwargs.items() if k != word}
        name, in_place = plain_name(said)
        found = tuple(one for one in tensors_in((args, kwargs)) if one.requires_grad)
        dependents = tuple(one for one in found if not one.is_leaf)
        return cls(
            function, args, kwargs, name, in_place or kwargs.get("inplace") is True, dependents
        )

    def run(self) -> Any:
        """Make the call as it is."""
        return self.function(*self.args, **self.kwargs)

    def on(self, value: torch.Tensor) -> torch.Tensor:
        """Make the call on other values in place of the one tensor that depends on the input.

        Constants are brought to the precision of the values; nothing is overwritten but them.
        """
        own = self.dependents[0]

        def changed(tensor: torch.Tensor) -> torch.Tensor:
            if tensor is own:
                return value
            return tensor.to(value.dtype) if tensor.is_floating_point() else tensor

        found: torch.Tensor = self.function(
            *mapped(self.args, changed), **mapped(self.kwargs, changed)
        )
        return found

    def argument(self, place: int, name: str, default: Any = None) -> Any:
        """Return an argument by its place or its name."""
        return self.args[place] if place < len(self.args) else self.kwargs.get(name, default)

    def constant(self) -> Any:
        """Return what a call that is affine in the input puts out where the input adds nothing."""
        ours = {id(one) for one in self.dependents}

        def empty(tensor: torch.Tensor) -> torch.Tensor:
            return torch.zeros_like(tensor) if id(tensor) in ours else tensor

        args = mapped(self.args, empty)
        if self.in_place and args and args[0] is self.args[0]:
            args = (args[0].clone(), *args[1:])
        with torch.no_grad():
            return self.function(*args, **mapped(self.kwargs, empty))


def _constant(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach() if tensor.requires_grad and tensor.is_leaf else tensor
