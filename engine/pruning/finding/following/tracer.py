"""One pass in which every channel is followed through all of torch's functions.

Convolutions and linear layers make new units and read old ones; whatever lies between them passes
labels on or ties units together. A function that is not understood keeps all that goes into it:
nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from engine.attention.interception import Fused, Interceptor
from engine.execution.calls import plain_name, said_name, tensors_in
from engine.pruning.finding.following import layers, mixing, passing
from engine.pruning.finding.following.call import Call
from engine.pruning.finding.following.labels import all_same
from engine.pruning.finding.following.state import Following

_RULES = {**passing.RULES, **mixing.RULES, **layers.RULES}


def follow(module: nn.Module, x: torch.Tensor) -> Following:
    """Run one traced pass.

    Args:
        module: in eval mode.
        x: samples as it takes them; one will do.

    Returns:
        What is known after it.
    """
    tracer = Tracer(module)
    state = tracer.state
    with torch.inference_mode(False), torch.no_grad():
        label = state.units.fixed("it shares its channels with the network's input")
        state.set(x, all_same(label, x.shape))
        with tracer:
            returned = module(x)
        for tensor in _all_tensors(returned):
            if state.is_labelled(tensor):
                state.fix(state.label(tensor), "it is the output: its units are the classes")
        state.finish()
    return state


class Tracer(Interceptor):
    """Sees every call of torch and labels what comes out.

    Args:
        module: the network.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.state = Following(module)

    def fused(self, index: int, call: Fused) -> torch.Tensor:
        """Remember which attention this is."""
        self.state.index = index
        return call.run()

    def weighted(
        self, index: int, weights: torch.Tensor, plain: Callable[[], torch.Tensor]
    ) -> torch.Tensor:
        """Remember which attention this is."""
        self.state.index = index
        return weights

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        self.state.index = None
        # Before the call: what is changed in place keeps its labels as they were.
        given = [one for one in tensors_in((args, named)) if self.state.knows(one)]
        out = super().__torch_function__(func, types, args, named)
        if func is F.multi_head_attention_forward:  # its inside was seen
            return out
        if given and next(tensors_in(out), None) is not None:
            with torch._C.DisableTorchFunction():
                self._follow(func, args, named, given, out)
        return out

    def _follow(
        self,
        func: Any,
        args: tuple[Any, ...],
        named: dict[str, Any],
        given: Sequence[torch.Tensor],
        out: Any,
    ) -> None:
        name, in_place = plain_name(said_name(func))
        if in_place and _is_part(given[0]):
            name = "a change in place of a part of a tensor"
        rule = _RULES.get(name)
        try:
            done = rule is not None and rule(self.state, Call(func, name, args, named, out))
        except _UNKNOWN_SPELLING:
            done = False
        if not done:
            self._give_up(name, given, out)

    def _give_up(self, name: str, given: Sequence[torch.Tensor], out: Any) -> None:
        state = self.state
        reason = f"it goes through {name} in {state.layer}, which is not followed"
        for tensor in given:
            state.fix(state.label(tensor), reason)
        for one in tensors_in(out):
            state.set(one, all_same(state.units.fixed(reason), one.shape))


_UNKNOWN_SPELLING = (ValueError, TypeError, IndexError, KeyError, RuntimeError, AttributeError)


def _all_tensors(returned: Any) -> list[torch.Tensor]:
    if hasattr(returned, "values") and not isinstance(returned, torch.Tensor):
        returned = list(returned.values())
    return list(tensors_in(returned))


def _is_part(tensor: torch.Tensor) -> bool:
    """Whether a tensor is a part of a larger one."""
    base = tensor._base
    return base is not None and base.numel() != tensor.numel()
