"""Where the layers of a network read units, and what changes these readings in a pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

import torch
from torch import nn

from engine.attention.gates import gated
from engine.models.loaded import LoadedModel
from engine.pruning.given import on_given
from engine.pruning.units import Group, Span

# Gets group, reading layer and what it reads, ``(n, size, …)``; returns gates ``(1 or n, size)``,
# or None to leave it.
Gate = Callable[[Group, str, torch.Tensor], torch.Tensor | None]

# Why a group is left out that ``seen_where_read`` leaves out.
NOT_SEEN = "what reads it is not called by itself, or not with one row for each sample"

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def readers_of(module: nn.Module, group: Group) -> dict[str, Span]:
    """Return where layers read a group's units, by the layer's name.

    Only of linear layers and convolutions that are not grouped: their columns are places of
    their input.
    """
    layers = dict(module.named_modules())
    found = {}
    for span in group.consumers:
        part = layers.get(span.layer)
        plain = isinstance(part, nn.Linear) or (
            isinstance(part, _CONVOLUTIONS) and part.groups == 1
        )
        if plain and span.tensor == "weight" and span.dim == 1:
            found[span.layer] = span
    return found


@contextmanager
def reading(module: nn.Module, groups: Sequence[Group], gate: Gate) -> Iterator[None]:
    """Multiply what layers read of units by gates, in all passes inside.

    That is exactly what multiplying the units' columns of the reading weights would do.
    Gradients flow to the gates.

    Args:
        module: the network; its hooks are gone after.
        groups: whose units.
        gate: tells the gates when a layer is about to read.
    """
    layers = dict(module.named_modules())
    with ExitStack() as stack:
        for group in groups:
            for name, span in readers_of(module, group).items():
                hook = partial(_read, group, span, gate)
                stack.callback(on_given(layers[name], hook).remove)
        yield


def _read(
    group: Group, span: Span, gate: Gate, part: nn.Module, x: torch.Tensor
) -> torch.Tensor | None:
    axis = axis_of(part, x)
    gates = gate(group, span.layer, units_of(x, span, axis))
    return None if gates is None else x * spread(gates, span, axis, x)


def axis_of(part: nn.Module, x: torch.Tensor) -> int:
    """Return the axis of a layer's input along which its weight's columns lie."""
    return 1 if isinstance(part, _CONVOLUTIONS) else x.ndim - 1


def units_of(x: torch.Tensor, span: Span, axis: int) -> torch.Tensor:
    """Return what is read of units as ``(n, size, …)``, all places of a unit flattened."""
    size, places = span.index.shape
    index = torch.from_numpy(span.index.reshape(-1)).to(x.device)
    taken = x.index_select(axis, index).movedim(axis, 1)  # (n, size × places, …)
    return taken.unflatten(1, (size, places)).flatten(2)


def spread(gates: torch.Tensor, span: Span, axis: int, x: torch.Tensor) -> torch.Tensor:
    """Return gates ``(1 or n, size)`` as factors that multiply a layer's whole input.

    Windows of one sample follow one another: each has the sample's gates.
    """
    if len(gates) > 1:
        gates = gates.repeat_interleave(len(x) // len(gates), dim=0)
    index = torch.from_numpy(span.index.reshape(-1)).to(x.device)
    each = gates.to(x).repeat_interleave(span.index.shape[1], dim=1)
    factors = torch.ones(len(gates), x.shape[axis], dtype=x.dtype, device=x.device)
    factors = factors.index_copy(1, index, each)
    shape = [1] * x.ndim
    shape[0], shape[axis] = len(gates), x.shape[axis]
    return factors.reshape(shape)


@contextmanager
def gating(
    module: nn.Module, groups: Sequence[Group], gates: Mapping[str, torch.Tensor]
) -> Iterator[None]:
    """Multiply units by gates in the one pass inside: heads where they attend, others as read.

    Args:
        module: the network.
        groups: whose units.
        gates: by the group's name, ``(size,)`` or one row for each sample, ``(n, size)``.
            Groups without are left alone.
    """
    heads = {group.site: gates[group.name] for group in groups if _is_gated(group, gates)}
    others = [one for one in groups if one.name in gates and one.site not in heads]
    rows = {one.name: torch.atleast_2d(gates[one.name]) for one in others}
    with gated(heads), reading(module, others, lambda group, _layer, _x: rows[group.name]):
        yield


def _is_gated(group: Group, gates: Mapping[str, torch.Tensor]) -> bool:
    return group.site >= 0 and group.name in gates


def seen_where_read(model: LoadedModel, groups: Sequence[Group]) -> tuple[Group, ...]:
    """Return the groups all of whose readers are met in a pass, with the samples first.

    Two passes on noise tell: of two samples a layer is given twice the rows it is given of one.
    """
    module = model.module
    full = [
        group
        for group in groups
        if group.consumers
        and set(readers_of(module, group)) == {span.layer for span in group.consumers}
    ]
    alone, both = _shapes(model, full, 1), _shapes(model, full, 2)
    first = {name for name in alone if _samples_first(alone[name], both.get(name))}
    return tuple(group for group in full if set(readers_of(module, group)) <= first)


def _shapes(model: LoadedModel, groups: Sequence[Group], count: int) -> dict[str, tuple[int, ...]]:
    """Return the shape of what each reader is given of some samples, by the layer's name."""
    names = {name for group in groups for name in readers_of(model.module, group)}
    shapes: dict[str, tuple[int, ...]] = {}
    source = torch.Generator().manual_seed(0)
    drawn = torch.randn((count, *model.spec.shape), generator=source)
    x = drawn.to(model.device, getattr(torch, model.dtype))
    with torch.no_grad(), model.ready() as module, ExitStack() as stack:
        for name in names:
            note = partial(_note, shapes, name)
            stack.callback(on_given(module.get_submodule(name), note).remove)
        module(x)
    return shapes


def _note(
    shapes: dict[str, tuple[int, ...]], name: str, _part: nn.Module, given: torch.Tensor
) -> None:
    shapes[name] = tuple(given.shape)


def _samples_first(alone: tuple[int, ...], both: tuple[int, ...] | None) -> bool:
    return both == (2 * alone[0], *alone[1:])


def gateable(model: LoadedModel, groups: Sequence[Group]) -> tuple[Group, ...]:
    """Return the groups whose units ``gating`` can gate: heads, and those seen where read."""
    seen = seen_where_read(model, [group for group in groups if group.site < 0])
    return tuple(group for group in groups if group.site >= 0 or group in seen)
