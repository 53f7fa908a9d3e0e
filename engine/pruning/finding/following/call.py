"""One call of torch, with its arguments by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from engine.execution.calls import tensors_in


@dataclass(frozen=True)
class Call:
    """A call that was made.

    Attributes:
        func: the function.
        name: its plain name.
        args, named: what it was given.
        out: what it returned.
    """

    func: Any
    name: str
    args: tuple[Any, ...]
    named: Mapping[str, Any]
    out: Any

    @property
    def x(self) -> torch.Tensor:
        """The tensor that it is about: its first argument."""
        found: torch.Tensor = self.args[0] if self.args else self.named["input"]
        return found

    def get(self, name: str, position: int, default: Any = None) -> Any:
        """Return an argument by name or by its position."""
        if name in self.named:
            return self.named[name]
        return self.args[position] if len(self.args) > position else default

    def bound(self, signature: inspect.Signature) -> Mapping[str, Any]:
        """Return all arguments by name."""
        found = signature.bind(*self.args, **self.named)
        found.apply_defaults()
        return found.arguments

    @property
    def tensors(self) -> list[torch.Tensor]:
        """All tensors that it was given."""
        return list(tensors_in((self.args, dict(self.named))))

    @property
    def results(self) -> list[torch.Tensor]:
        """All tensors that it returned."""
        return list(tensors_in(self.out))


def signature(text: str) -> inspect.Signature:
    """Return a signature from names; "=" marks what may be left out, and then is None or 1."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = []
    for word in text.split():
        name, equals, default = word.partition("=")
        value = (1 if default else None) if equals else inspect.Parameter.empty
        parameters.append(inspect.Parameter(name, kind, default=value))
    return inspect.Signature(parameters)
