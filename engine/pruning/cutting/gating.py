"""``gated_copy``: a network of which some units are switched off, of the same size."""

from __future__ import annotations

from copy import deepcopy

from engine.models.loaded import LoadedModel
from engine.pruning.cutting.cut import checked, zero_columns
from engine.pruning.cutting.making import as_model
from engine.pruning.finding.groups import find_groups
from engine.pruning.units import Kept


def gated_copy(model: LoadedModel, kept: Kept) -> LoadedModel:
    """Return a copy in which nothing reads the units that went.

    Convolutions and linear layers are linear in what they read: their columns at zero are the
    same as the units' activations at zero, after normalisation and non-linearity.

    Args:
        model: left as it is.
        kept: of each group a bool for each unit; groups that are not named stay whole.

    Raises:
        MethodError: an unknown group, another number of units, or a group left empty.
    """
    groups = find_groups(model)
    stays = checked(groups, kept)
    with model.ready() as module:
        copy = deepcopy(module)
    zero_columns(copy, groups.groups, stays)
    return as_model(model, copy, groups, stays, sliced=False)
