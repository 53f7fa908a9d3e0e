"""Statistics of batch norms computed anew: exactly those of the pictures, layer after layer."""

from __future__ import annotations

import torch
from torch import nn

from engine.errors import HaloscopeError
from engine.execution.chunks import Chunks
from engine.execution.cost import Cost
from engine.execution.passes import Passes
from engine.pruning.given import Look, on_given
from engine.pruning.repairing.flow import Flow
from engine.pruning.scoring.moments import Moments, moments_of_maps

# Numbers that a batch norm may be given at once: half a gigabyte of float32.
MOST_AT_ONCE = 2**27


class _Enough(HaloscopeError):
    """What was wanted of a pass is there; the rest of it is not run."""


def recalibration_cost(flow: Flow, pictures: int) -> Cost:
    """Return the passes of ``recalibrate``."""
    return Cost(pictures * (1 if at_once(flow, pictures) else len(flow.norms)))


def at_once(flow: Flow, pictures: int) -> bool:
    """Whether all pictures fit into one pass, which then tells all statistics."""
    return pictures * flow.widest <= MOST_AT_ONCE


def recalibrate(passes: Passes, x: torch.Tensor, flow: Flow, chunks: Chunks) -> None:
    """Put into every batch norm the mean and the variance of what it is given.

    Each layer's are those of all pictures as a population, under what the layers before it do
    with theirs. All pictures go through in one pass, in which a layer's statistics are known
    before it runs; where they are too many for that, a pass is made for each layer.

    Args:
        passes: how to run; the model is changed in place.
        x: all pictures, ``(n, …)``.
        flow: of the model.
        chunks: how many samples go through at once where not all do.
    """
    with torch.no_grad(), passes.model.ready() as module:
        if at_once(flow, len(x)):
            _together(passes, module, x, flow)
            return
        for name in flow.norms:
            _one(passes, module.get_submodule(name), x, chunks)


def _together(passes: Passes, module: nn.Module, x: torch.Tensor, flow: Flow) -> None:
    handles = []
    try:
        for name in flow.norms:
            part = module.get_submodule(name)
            handles.append(on_given(part, _put_before))
        passes.forward(x)
    finally:
        for handle in handles:
            handle.remove()


def _put_before(norm: nn.Module, given: torch.Tensor) -> None:
    _put(norm, moments_of_maps(given))


def _one(passes: Passes, norm: nn.Module, x: torch.Tensor, chunks: Chunks) -> None:
    """Pass chunk after chunk as far as one batch norm."""

    def read(start: int, stop: int) -> Moments:
        found: list[Moments] = []
        handle = on_given(norm, _noting(found))
        try:
            passes.forward(x[start:stop])
        except _Enough:
            passes.add(Cost(stop - start))
        finally:
            handle.remove()
        return found[0]

    total, *rest = chunks.over(len(x), passes, read)
    for more in rest:
        total = total.with_more(more)
    _put(norm, total)


def _noting(found: list[Moments]) -> Look:
    def note(_norm: nn.Module, given: torch.Tensor) -> None:
        found.append(moments_of_maps(given))
        raise _Enough("the statistics are there")

    return note


def _put(norm: nn.Module, moments: Moments) -> None:
    norm.running_mean.copy_(moments.mean)  # type: ignore[operator]
    norm.running_var.copy_(moments.variance)  # type: ignore[operator]
