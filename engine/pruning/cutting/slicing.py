"""``sliced_copy``: a network from which units are gone, smaller and faster."""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy

import numpy as np
from torch import nn

from engine.errors import MethodError, ModelError, ParameterError
from engine.models.loaded import LoadedModel
from engine.pruning.cutting.cut import checked, disagreement, light_copy, take_out, zero_columns
from engine.pruning.cutting.making import as_model
from engine.pruning.finding.groups import find_groups
from engine.pruning.units import Group, Groups, Kept

ROUNDINGS = (16, 8, 1)


def sliced_copy(
    model: LoadedModel, kept: Kept, *, round_to: int = 16, check: bool = True
) -> LoadedModel:
    """Return a copy from which units are gone.

    Args:
        model: left as it is.
        kept: of each group a bool for each unit; groups that are not named stay whole.
        round_to: more units are kept so that layers are multiples of this wide (16, 8; 1 for no
            rounding); see ``rounded``, which knows scores.
        check: that it answers as the gated copy does, to 1e-5 of the largest output, if need be
            in float64.

    Raises:
        MethodError: an unknown group, another number of units, a group left empty, or copies
            that do not agree, with the layer's name.
    """
    groups = find_groups(model)
    stays = rounded(groups, checked(groups, kept), None, round_to)
    with model.ready() as module:
        copy = deepcopy(module)
        if check:
            _check_all(model, module, groups, stays)
    _cut(copy, groups.groups, stays)
    return as_model(model, copy, groups, stays, sliced=True)


def rounded(
    groups: Groups, kept: Kept, scores: Mapping[str, np.ndarray] | None = None, to: int = 16
) -> dict[str, np.ndarray]:
    """Keep more units so that layers are multiples of a number of channels wide.

    Heads are left alone, and groups of fewer channels than that number.

    Args:
        groups: of the network.
        kept: which units stay.
        scores: of each group one for each unit; the best of those that went come back. Without
            scores, the first.
        to: 16, 8 or 1.

    Raises:
        ParameterError: another number.
    """
    check_rounding(to)
    found = {}
    for name, stays in kept.items():
        group = groups[name]
        count = _rounded_count(group, int(stays.sum()), to)
        worth = np.zeros(group.size) if scores is None else np.asarray(scores[name], float)
        gone = np.flatnonzero(~stays)
        best = gone[np.argsort(-worth[gone], kind="stable")]
        back = np.array(stays, dtype=bool)
        back[best[: count - int(stays.sum())]] = True
        found[name] = back
    return found


def check_rounding(to: int) -> None:
    """Raise ``ParameterError`` for a number that layers cannot be multiples of."""
    if isinstance(to, bool) or not isinstance(to, int) or to < 1:
        raise ParameterError(f"round_to={to}: a multiple is at least 1")


def _rounded_count(group: Group, count: int, to: int) -> int:
    places = group.producers[0].index.shape[1]
    step = to // math.gcd(to, places)  # so many units are a multiple of channels
    if group.kind == "heads" or group.size <= step:
        return count
    return min(group.size, math.ceil(count / step) * step)


def _check_all(model: LoadedModel, module: nn.Module, groups: Groups, kept: Kept) -> None:
    """Refuse a cut after which gated and sliced networks differ; say by which group."""
    told = _apart(model, module, groups.groups, kept)
    if not told:
        return
    for group in groups.groups:
        alone = _apart(model, module, (group,), kept)
        if alone:
            raise MethodError(f"{group.name} cannot be cut: {alone}")
    raise MethodError(f"{model.card.title} cannot be cut like this: {told}")


def _apart(model: LoadedModel, module: nn.Module, groups: tuple[Group, ...], kept: Kept) -> str:
    if all(kept[group.name].all() for group in groups):
        return ""
    gated, sliced = light_copy(module), light_copy(module)
    zero_columns(gated, groups, kept)
    _cut(sliced, groups, kept)
    return disagreement(gated, sliced, model)


def _cut(module: nn.Module, groups: tuple[Group, ...], kept: Kept) -> None:
    try:
        take_out(module, groups, kept)
    except ModelError as error:
        raise MethodError(str(error)) from None
