"""Taking units out of a network in hand: their columns to zero, or all their numbers out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy

import numpy as np
import torch
from torch import nn

from engine.errors import MethodError, ModelError, nearest, one_line
from engine.models.loaded import LoadedModel
from engine.models.narrowing.heads import Heads, set_heads
from engine.models.narrowing.narrow import narrow
from engine.models.outputs import logits_of
from engine.pruning.units import Group, Groups, Kept, Span

_CLOSE = 1e-5


def checked(groups: Groups, kept: Kept) -> dict[str, np.ndarray]:
    """Return which units stay in every group, those not named being whole.

    Raises:
        MethodError: a group that is not there, another number of units, or an empty group.
    """
    known = groups.everything()
    for name, stays in kept.items():
        if name not in known:
            why = groups.refused.get(name)
            raise MethodError(
                f"nothing can be removed from {name}: {why}"
                if why
                else f"no units are called {name!r}; {nearest(name, known)}"
            )
        if np.asarray(stays).shape != known[name].shape:
            raise MethodError(
                f"{name} has {len(known[name])} units, {np.asarray(stays).size} are told"
            )
        known[name] = np.asarray(stays, dtype=bool)
        if not known[name].any():
            raise MethodError(f"A ratio that would empty a layer: {name} must keep a unit")
    return known


def zero_columns(module: nn.Module, groups: Iterable[Group], kept: Kept) -> None:
    """Gate units, in place: what reads them no longer does."""
    zeroed: dict[tuple[str, str], torch.Tensor] = {}
    for span, gone in _spans(groups, kept, ("consumers",)):
        where = span.layer, span.tensor
        tensor = zeroed.get(where, _held(module, *where).detach())
        zeroed[where] = tensor.index_fill(span.dim, _places(span.index[gone], tensor), 0)
    narrow(module, zeroed)


def take_out(module: nn.Module, groups: Iterable[Group], kept: Kept) -> None:
    """Remove units, in place: all tensors that hold numbers of theirs become smaller.

    Raises:
        ModelError: an attention that cannot have fewer heads.
    """
    groups = list(groups)
    stays: dict[tuple[str, str], dict[int, np.ndarray]] = {}
    for span, gone in _spans(groups, kept, ("producers", "consumers")):
        tensor = _held(module, span.layer, span.tensor)
        masks = stays.setdefault((span.layer, span.tensor), {})
        mask = masks.setdefault(span.dim, np.ones(tensor.shape[span.dim], dtype=bool))
        mask[span.index[gone]] = False
    smaller = {}
    for (layer, name), masks in stays.items():
        tensor = _held(module, layer, name).detach()
        for dim, mask in masks.items():
            tensor = tensor.index_select(dim, _places(np.flatnonzero(mask), tensor))
        smaller[layer, name] = tensor.contiguous()
    narrow(module, smaller)
    for heads in heads_of(groups, kept):
        set_heads(module, heads)


def light_copy(module: nn.Module) -> nn.Module:
    """Return a copy that shares its tensors with the network, until they are replaced."""
    held = [*module.parameters(), *module.buffers()]
    return deepcopy(module, {id(tensor): tensor for tensor in held})


def heads_of(groups: Iterable[Group], kept: Kept) -> list[Heads]:
    """Return how many heads each attention has after a cut; those that lose none are left out."""
    found = []
    for group in groups:
        stays = kept.get(group.name)
        if group.kind == "heads" and stays is not None and not stays.all():
            width = group.consumers[0].index.shape[1]
            found.append(Heads(group.attention, group.size, int(stays.sum()), width))
    return found


def difference(one: nn.Module, other: nn.Module, x: torch.Tensor, entry: str) -> float:
    """Return how far two networks differ on samples, relative to the largest output.

    Raises:
        ModelError: one of them does not run.
    """
    with torch.no_grad():
        try:
            a, b = (logits_of(module(x), entry) for module in (one, other))
        except Exception as error:  # the network is the user's own code
            raise ModelError(f"without it the network does not run: {one_line(error)}") from None
    if a.shape != b.shape:
        raise ModelError(f"without it the network returns {tuple(b.shape)}, not {tuple(a.shape)}")
    scale = a.abs().max().clamp_min(1e-30)
    return float(((a - b).abs().max() / scale).nan_to_num(nan=float("inf")))


def disagreement(gated: nn.Module, sliced: nn.Module, model: LoadedModel) -> str:
    """Say how gated and sliced networks differ on noise, in one line; "" if they agree to 1e-5.

    What differs more in the network's own precision is computed again in float64.
    """
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn((2, *model.spec.shape), generator=generator)
    x = noise.to(model.device, getattr(torch, model.dtype))
    entry = model.seen.entry
    try:
        apart = difference(gated, sliced, x, entry)
        if apart > _CLOSE:
            precise = [deepcopy(one).cpu().double() for one in (gated, sliced)]
            apart = difference(precise[0], precise[1], x.cpu().double(), entry)
    except ModelError as error:
        return str(error)
    except (RuntimeError, TypeError) as error:  # a network that cannot be float64
        return one_line(error)
    if apart <= _CLOSE:
        return ""
    return f"without it the network answers otherwise than with it at zero ({apart:.1e} apart)"


def _spans(
    groups: Iterable[Group], kept: Kept, sides: tuple[str, ...]
) -> Iterator[tuple[Span, np.ndarray]]:
    for group in groups:
        gone = ~np.asarray(kept.get(group.name, np.ones(group.size, dtype=bool)))
        if gone.any():
            for side in sides:
                for span in getattr(group, side):
                    yield span, gone


def _held(module: nn.Module, layer: str, name: str) -> torch.Tensor:
    part = module.get_submodule(layer)
    held = part._parameters.get(name)
    found = part._buffers[name] if held is None else held
    assert found is not None
    return found


def _places(index: np.ndarray, tensor: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(index).reshape(-1)).to(tensor.device)
