"""The mode that lets masks travel with the activations of one forward pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from engine.errors import MethodError
from engine.execution.call_names import words
from engine.execution.calls import (
    innermost_layer,
    is_compiled,
    layer_names,
    layer_told,
    plain_name,
    said_name,
    tensors_in,
)
from engine.masking.layers.kept import Kept, Met, NoRule, Rule

# Asks about a tensor, or makes a new one that depends on none of its numbers.
_ASKS = words("""
    size dim ndimension numel nelement stride storage_offset is_contiguous is_floating_point
    is_complex element_size get_device data_ptr len hash format repr set requires_grad
    register_hook retain_grad zeros_like ones_like empty_like full_like rand_like randn_like
    new_zeros new_ones new_empty new_full new_tensor
""")


class Travelling(TorchFunctionMode):
    """Hands each call that meets a masked activation to its rule. For one pass, in ``with``.

    Args:
        module: the network, whose layers are told by name.
        rules: by the call's name.
        title: of the way of masking, for refusals.
        model_title: of the model.
        strict: refuse also what reaches a call by a way that is not seen; the pass must then
            record gradients of its input, and of nothing else.
    """

    def __init__(
        self,
        module: nn.Module,
        rules: Mapping[str, Rule],
        title: str,
        model_title: str,
        *,
        strict: bool = False,
    ) -> None:
        super().__init__()
        self._rules = rules
        self._title = title
        self._model_title = model_title
        self._names = layer_names(module)
        self._kept = WeakTensorKeyDictionary()
        self._free = WeakTensorKeyDictionary() if strict else None
        hidden = next((name for name, part in module.named_modules() if is_compiled(part)), None)
        if hidden is not None:
            raise self._refusal(hidden, "is compiled, so what it calls is not seen")

    def start(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return x with zeros where it is hidden, known to the mode from here on.

        Args:
            x: ``(n, channels, rows, columns)``.
            mask: bool ``(n, 1, rows, columns)``; True = stays.
        """
        masked = torch.where(mask, x, 0)
        self._kept[masked] = Kept(mask)
        return masked

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        held = [one for one in tensors_in((args, named)) if one in self._kept]
        name, _ = plain_name(said_name(func))
        if not held:
            return self._unmasked(func, name, args, named)
        if name in _ASKS:
            return func(*args, **named)
        try:
            return self._ruled(func, name, args, named, held)
        except NoRule as refusal:
            raise self._refusal(innermost_layer(self._names), str(refusal)) from None

    def _ruled(
        self,
        func: Any,
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        held: list[torch.Tensor],
    ) -> Any:
        if name == "get":
            return self._attribute(func, args, held[0])
        rule = self._rules.get(name)
        if rule is None:
            raise NoRule(f"calls {name}")
        met = Met(func, args, kwargs, name, tuple(self._kept[one] for one in held), tuple(held))
        found, after = rule(met)
        self._note(list(tensors_in(found)), after)
        return iter(found) if name == "iter" else found

    def _note(self, found: list[torch.Tensor], after: Kept | list[Kept] | None) -> None:
        several = after if isinstance(after, list) else [after] * len(found)
        for tensor, kept in zip(found, several, strict=True):
            if kept is not None:
                self._kept[tensor] = kept
            elif self._free is not None:
                self._free[tensor] = True

    def _attribute(self, func: Any, args: tuple[Any, ...], x: torch.Tensor) -> Any:
        found = func(*args)
        if not isinstance(found, torch.Tensor):
            return found
        if found.shape != x.shape:
            raise NoRule("turns a map over by an attribute")
        self._kept[found] = self._kept[x]
        return found

    def _unmasked(self, func: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        found = func(*args, **kwargs)
        if self._free is None or name in _ASKS | {"get"}:
            return found
        for one in tensors_in((args, kwargs)):
            if one.requires_grad and one not in self._free:
                layer = innermost_layer(self._names)
                raise self._refusal(layer, f"calls {name} on what was made out of sight")
        for one in tensors_in(found):
            if one.requires_grad:
                self._free[one] = True
        return found

    def _refusal(self, layer: str, does: str) -> MethodError:
        return MethodError(
            f"{self._title} has no rule for part of {self._model_title}: {layer_told(layer)} "
            f"{does}; use another fill, such as mean or blur"
        )
