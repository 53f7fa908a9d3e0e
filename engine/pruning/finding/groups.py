"""``find_groups``: what can be removed from a network, found in one traced pass and tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import nn

from engine.attention.sites import attention_sites
from engine.errors import MethodError, ModelError, one_line
from engine.models.loaded import LoadedModel
from engine.pruning.cutting.cut import disagreement, light_copy, take_out, zero_columns
from engine.pruning.finding.following.state import Following, said
from engine.pruning.finding.following.tracer import follow
from engine.pruning.finding.grouping import grouped
from engine.pruning.units import Group, Groups, Span

_SHARE = 5  # one unit of five is removed to try
_MOST_TRIALS = 120
_UNTRIED = "too many layers of this network cannot be cut for all to be tried one by one"

_found: WeakKeyDictionary[LoadedModel, Groups] = WeakKeyDictionary()
_guard = Lock()


def find_groups(model: LoadedModel) -> Groups:
    """Find what can be removed from a network, once for each loaded model.

    One pass on noise follows every channel; then some units of all groups are removed on copies,
    and a group whose gated and sliced networks do not agree is refused.

    Raises:
        MethodError: an estimator that is no network.
    """
    if not model.differentiable:
        raise MethodError(f"{model.card.title} is no network: it has no units to remove")
    with _guard:
        known = _found.get(model)
    if known is None:
        with model.ready() as module:
            known = _tried(model, module, traced(model, module))
        with _guard:
            _found[model] = known
    return known


def traced(model: LoadedModel, module: nn.Module) -> Groups:
    """Return what one traced pass tells; nothing is tried.

    Args:
        model: what the network is.
        module: the network, in eval mode.
    """
    quantised = _quantised(module)
    if quantised:
        return Groups((), quantised)
    drawn = torch.randn((1, *model.spec.shape), generator=torch.Generator().manual_seed(0))
    try:
        state = follow(module, drawn.to(model.device, getattr(torch, model.dtype)))
    except Exception as error:  # the network is the user's own code
        told = f"its channels cannot be followed: {one_line(error)}"
        return Groups((), {model.card.title: told})
    return _read_by_layers(module, grouped(state, _names_of_sites(model, state)))


def _read_by_layers(module: nn.Module, found: Groups) -> Groups:
    """Refuse units that are read by bare parameters: what these are given cannot be looked at."""
    refused = dict(found.refused)
    groups = []
    for group in found.groups:
        bare = [span for span in group.consumers if not _is_of_layer(module, span)]
        if bare and group.kind != "heads":
            told = said(bare[0].layer, bare[0].tensor)
            refused[group.name or "the network itself"] = (
                f"{told}, which reads its units, is a parameter without a layer of its own"
            )
        else:
            groups.append(group)
    return Groups(tuple(groups), refused)


def _is_of_layer(module: nn.Module, span: Span) -> bool:
    """Whether a weight is that of a layer which is given what the weight reads."""
    part = module.get_submodule(span.layer)
    if isinstance(part, nn.MultiheadAttention):
        return True
    return span.tensor == "weight" and next(part.children(), None) is None


def _quantised(module: nn.Module) -> dict[str, str]:
    """Return the layers whose weights are packed whole numbers, and why that is in the way."""
    whole = "its weights are quantised; prune the network first, then quantise it"
    return {
        name: whole
        for name, part in module.named_modules()
        if name and (".quantized" in type(part).__module__ or _has_whole_weights(part))
    }


def _has_whole_weights(part: nn.Module) -> bool:
    weight = getattr(part, "weight", None)
    if not isinstance(weight, torch.Tensor):
        return False
    return weight.is_quantized or not (weight.is_floating_point() or weight.is_complex())


def _names_of_sites(model: LoadedModel, state: Following) -> dict[int, str]:
    """Return the name of each attention's block, by its number in the pass."""
    if not state.attentions:
        return {}
    return {site.index: site.name for site in attention_sites(model).sites}


def _tried(model: LoadedModel, module: nn.Module, found: Groups) -> Groups:
    """Refuse groups of which units cannot be removed without the network noticing."""
    if not _trial(model, module, found.groups):
        return found
    refused = _impossible_heads(model, module, found.groups)
    rest = [group for group in found.groups if group.name not in refused]
    good, others = _sound(model, module, rest, iter(range(_MOST_TRIALS)))
    names = {group.name for group in good}
    groups = tuple(group for group in found.groups if group.name in names)
    return Groups(groups, {**found.refused, **refused, **others})


def _impossible_heads(
    model: LoadedModel, module: nn.Module, groups: Sequence[Group]
) -> dict[str, str]:
    """Refuse the heads of all attentions of a kind of which the first cannot lose any."""
    reasons: dict[type, str] = {}
    refused = {}
    for group in groups:
        if group.kind == "heads":
            kind = type(module.get_submodule(group.attention))
            if kind not in reasons:
                reasons[kind] = _trial(model, module, [group])
            if reasons[kind]:
                refused[group.name] = reasons[kind]
    return refused


def _sound(
    model: LoadedModel, module: nn.Module, groups: Sequence[Group], left: Iterator[int]
) -> tuple[list[Group], dict[str, str]]:
    """Return the groups that can be cut, together and alone, and why others cannot.

    Halves are tried, and halves of those; ``left`` counts down how often. What is not tried is
    refused.
    """
    if next(left, None) is None:
        return [], {group.name: _UNTRIED for group in groups}
    reason = _trial(model, module, groups)
    if not reason:
        return list(groups), {}
    if len(groups) == 1:
        return [], {groups[0].name: reason}
    half = len(groups) // 2
    good, refused = _sound(model, module, groups[:half], left)
    more, others = _sound(model, module, groups[half:], left)
    refused |= others
    if not (good and more) or not _trial(model, module, [*good, *more]):
        return [*good, *more], refused
    for group in more:  # each half is sound, both are not
        tried = next(left, None) is not None
        reason = _trial(model, module, [*good, group]) if tried else _UNTRIED
        if reason:
            refused[group.name] = reason
        else:
            good.append(group)
    return good, refused


def _trial(model: LoadedModel, module: nn.Module, groups: Sequence[Group]) -> str:
    """Remove some units of each group from copies; say what is wrong then, or ""."""
    if not groups:
        return ""
    draws = np.random.default_rng(0)
    kept = {}
    for group in groups:
        stays = np.ones(group.size, dtype=bool)
        stays[draws.choice(group.size, group.size // _SHARE, replace=False)] = False
        stays[0] = False  # all others move up: what counts places by itself is found out
        kept[group.name] = stays
    gated, sliced = light_copy(module), light_copy(module)
    zero_columns(gated, groups, kept)
    try:
        take_out(sliced, groups, kept)
    except (ModelError, RuntimeError, ValueError) as error:
        return one_line(error)
    return disagreement(gated, sliced, model)
