"""The mode that meets each call of a forward pass and hands it to a rule of its kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from engine.attribution.rewriting.calls import Call
from engine.attribution.rewriting.kinds import Kind, kind_of
from engine.execution.calls import (
    innermost_layer,
    is_compiled,
    layer_names,
    layer_told,
    tensors_in,
)


@dataclass(frozen=True)
class Note:
    """A call that a method has no rule for.

    Attributes:
        layer: name of the innermost module that made it, as in ``named_modules``; "" for the
            network itself.
        does: what it does, as a verb in the third person: "calls layer_norm".
    """

    layer: str
    does: str

    def describe(self) -> str:
        """Say it: "its layer blocks.0.norm calls layer_norm"."""
        return f"{layer_told(self.layer)} {self.does}"


class Rewriting(TorchFunctionMode):
    """Meets each call of a forward pass. Use it in ``with``, for one pass.

    Subclasses override what they do with each kind of call; here all stays as it is.

    Args:
        module: the network, whose layers are told by name.

    Attributes:
        notes: what there is no rule for: compiled layers, then calls in their order.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.notes = [
            Note(name, "is compiled, so what it calls is not seen")
            for name, part in module.named_modules()
            if is_compiled(part)
        ]
        self._names = layer_names(module)

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        call = Call.of(func, args, kwargs or {})
        if not call.dependents:
            return _constant(call.run()) if call.name == "get" else call.run()
        kind = kind_of(call)
        if not torch.is_grad_enabled() and kind != "silent":
            kind = "other"
        found = self._ruled(call, kind)
        results = list(tensors_in(found))
        if kind != "silent" and results and not any(one.requires_grad for one in results):
            self.cut(call)
        elif kind in ("product", "other") and results:
            self.unruled(call, kind)
        return found

    def _ruled(self, call: Call, kind: Kind) -> Any:
        if kind in ("activation", "function"):
            return self.activation(call) if kind == "activation" else self.function(call)
        if kind == "maximum":
            return self.maximum(call)
        return self.affine(call) if kind == "affine" else call.run()

    def activation(self, call: Call) -> Any:
        """Make a call that is a non-linearity of one number each."""
        return self.function(call)

    def function(self, call: Call) -> Any:
        """Make a call that is any other function of one number each."""
        return call.run()

    def maximum(self, call: Call) -> Any:
        """Make a call that pools maxima."""
        return call.run()

    def affine(self, call: Call) -> Any:
        """Make a call that is affine in all that depends on the input."""
        return call.run()

    def cut(self, call: Call) -> None:
        """Take note of a call whose result no gradient reaches."""
        self.note(call, f"takes numbers out of the gradient's way by {call.name}")

    def unruled(self, call: Call, kind: Kind) -> None:
        """Take note of a product of parts that depend on the input, or of an unknown call."""
        product = f"multiplies two parts that both depend on the input, by {call.name}"
        self.note(call, product if kind == "product" else f"calls {call.name}")

    def note(self, call: Call, does: str) -> None:
        """Take note of a call, with the layer that makes it."""
        self.notes.append(Note(innermost_layer(self._names), does))


def _constant(found: Any) -> Any:
    """Return an attribute of a weight (its transpose, say) as the constant that it is."""
    return found.detach() if isinstance(found, torch.Tensor) and found.requires_grad else found
