"""``attention_sites``: where a model attends, and where the tokens are that it attends to."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from threading import Lock
from weakref import WeakKeyDictionary

import torch
from torch import nn

from engine.attention.checking import problem_with_gates
from engine.attention.layouts import Layout, Unplaced, find_layouts, told
from engine.attention.patches import find_fixed, find_grid, merged_grid
from engine.attention.probing import as_tokens, probe, tap
from engine.attention.readout import find_readout
from engine.attention.site import AttentionSite, AttentionSites
from engine.attention.visits import Call, Watched, watch
from engine.errors import one_line
from engine.models.loaded import LoadedModel

_found: WeakKeyDictionary[LoadedModel, AttentionSites] = WeakKeyDictionary()
_guard = Lock()


def attention_sites(model: LoadedModel) -> AttentionSites:
    """Find a model's attention, once for each loaded model.

    A few forward and backward passes on noise, under the model's lock, in eval mode. Nothing is
    taken from names or classes: blocks are seen with hooks, windows and merged patches are read
    off gradients, and the gates are tried. That keys stand where values do is taken for granted.

    Returns:
        What was found. A model without attention that can be seen has no sites and a problem.
    """
    with _guard:
        known = _found.get(model)
    if known is None:
        known = _look(model)
        with _guard:
            _found[model] = known
    return known


def _look(model: LoadedModel) -> AttentionSites:
    title = model.card.title
    # Also for a caller that wants no gradients: tokens are placed by them.
    with model.ready() as module, torch.inference_mode(False), torch.enable_grad():
        try:
            found = _examined(_precise(module), model)
        except Exception as error:  # the network is the user's own code
            reason = f"the attention of {title} cannot be looked at: {one_line(error)}"
            return AttentionSites((), problem=reason, unplaced=reason)
    problem, unplaced = (
        f"{title}: {why}" if why else "" for why in (found.problem, found.unplaced)
    )
    return replace(found, problem=problem, unplaced=unplaced)


def _examined(module: nn.Module, model: LoadedModel) -> AttentionSites:
    x, other = (_noise(model, module, seed) for seed in (0, 1))
    watched = watch(module, x)
    problem = _problem(watched.calls) or problem_with_gates(module, x, watched.calls)
    if problem:
        return AttentionSites(tuple(map(_site, watched.calls)), problem, problem)
    try:
        return _placed(module, x, other, watched)
    except Unplaced as error:
        reason = str(error)
    except RuntimeError as error:  # gradients that torch does not know
        reason = one_line(error)
    return AttentionSites(tuple(map(_site, watched.calls)), unplaced=reason)


def _problem(calls: Sequence[Call]) -> str:
    """Say what is seen at once to be wrong with a model's attention."""
    if not calls:
        return "no attention was seen: it is computed by hand, without a softmax, or is traced"
    for call in calls:
        if len(call.shape) != 4:
            return f"{told(call)} has shape {call.shape}, expected (windows, heads, queries, keys)"
        windows, _, queries, keys = call.shape
        taken = call.block.shapes["input"] if call.block else ()
        tokens = taken[1] if len(taken) == 3 and taken[0] == 1 else 0
        if queries != keys:
            return (
                f"{told(call)} has {queries} queries and {keys} keys: it attends between "
                "different tokens"
            )
        if windows * queries < tokens:
            return (
                f"{told(call)} has {windows * queries} rows for {tokens} tokens: it attends "
                "between channels, or between fewer tokens"
            )
    return ""


def _placed(
    module: nn.Module, x: torch.Tensor, other: torch.Tensor, watched: Watched
) -> AttentionSites:
    calls = watched.calls
    spots = [spot for call in calls for spot in call.span or ()]
    maps = [spot for spot, _ in watched.maps]
    probed = probe(module, x, [*spots, *maps])
    layouts = find_layouts(calls, probed)
    first = layouts[0]
    again = tap(module, other, spots[:1]).tokens[first.span[0]]
    tokens = as_tokens(probed.tokens[first.span[0]].detach(), first.form)
    fixed = find_fixed(tokens, as_tokens(again, first.form))
    grid = find_grid(probed, first, watched.maps, fixed)
    reads, weights = find_readout(probed, layouts[-1], fixed)
    sites = _with_places(calls, layouts, grid, fixed)
    return AttentionSites(sites, reads=reads, weights=weights)


def _with_places(
    calls: Sequence[Call], layouts: Sequence[Layout], grid: tuple[int, int], fixed: tuple[int, int]
) -> tuple[AttentionSite, ...]:
    sites = []
    prefix, suffix = fixed
    for call, layout in zip(calls, layouts, strict=True):
        merged = None if layout.merged is None else layout.merged.numpy()
        if merged is not None:
            grid = merged_grid(merged, grid, prefix, suffix)
        sites.append(
            replace(
                _site(call),
                layout=layout.slots.numpy(),
                grid=grid,
                prefix=prefix,
                suffix=suffix,
                merged=merged,
            )
        )
    return tuple(sites)


def _site(call: Call) -> AttentionSite:
    windows, heads, queries, keys = call.shape if len(call.shape) == 4 else (0, 0, 0, 0)
    return AttentionSite(call.index, call.name, heads, windows, queries, keys)


def _noise(model: LoadedModel, module: nn.Module, seed: int) -> torch.Tensor:
    drawn = torch.randn((1, *model.spec.shape), generator=torch.Generator().manual_seed(seed))
    weights = next((p for p in module.parameters() if p.is_floating_point()), drawn)
    return drawn.to(model.device, weights.dtype)


def _precise(module: nn.Module) -> nn.Module:
    """Return a network of float32 or more, a copy where it has less: numbers are read off it."""
    halves = (torch.float16, torch.bfloat16)
    if any(weight.dtype in halves for weight in module.parameters()):
        return deepcopy(module).float()
    return module
