"""``prune``: one call from a network to a smaller one that answers nearly as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.execution.passes import Cancel, Progress
from engine.inputs.images import Fit
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.pruning.cutting.gating import gated_copy
from engine.pruning.cutting.making import described
from engine.pruning.cutting.slicing import rounded, sliced_copy
from engine.pruning.finding.groups import find_groups
from engine.pruning.repairing.repairs import Repair, repaired
from engine.pruning.scoring.scopes import Scope, choose
from engine.pruning.scoring.score import score_units
from engine.pruning.sweeping.asking import check_ratio
from engine.pruning.units import Groups, Kept


def prune(
    model: Any,
    images: Any = None,
    *,
    criterion: str = "group-l2",
    ratio: float = 0.5,
    scope: Scope = "uniform",
    repair: Repair = "both",
    overrides: Mapping[str, float] | None = None,
    round_to: int = 16,
    fit: Fit = "crop",
    seed: int = 0,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> LoadedModel:
    """Return a physically smaller copy of a network.

    Units are scored and chosen, more of them are kept so that layers stay fast, what reads them
    is repaired, and only then they are cut out; the smaller network is held against the one in
    which they are only switched off.

    Args:
        model: a loaded model, a reference, or an ``nn.Module``; left as it is.
        images: to score and repair with: an image set, prepared inputs or one input; None where
            neither needs any.
        criterion: what scores units.
        ratio: share of units to remove, from 0 to below 1.
        scope: "uniform", "global" or "standardised".
        repair: "none", "bn", "bias" or "both".
        overrides: another ratio for some groups, by name.
        round_to: layers are kept multiples of this wide: 16, 8, or 1 for any width.
        fit: how pictures are brought to the network's size.
        seed: of what the criterion draws.
        progress: called with passes done and passes promised, of scores and then of repairs.
        cancel: an object with ``is_set()``, looked at before every pass.

    Returns:
        The smaller network; ``save_pruned`` writes it to a file that ``load_model`` reads.

    Raises:
        MethodError: nothing can be removed, or the cut network does not answer as the gated one.
        ParameterError: a ratio, scope, repair or group that is not there.
        InputError: no pictures where some are needed.
        Cancelled: the caller asked to stop.
    """
    loaded = load_model(model)
    groups = find_groups(loaded)
    share = check_ratio(ratio)
    own_ratios = {name: check_ratio(one, name) for name, one in (overrides or {}).items()}
    scores = score_units(
        loaded, groups, images, criteria=[criterion], fit=fit, seed=seed,
        statistics=repair in ("bias", "both"), progress=progress, cancel=cancel,
    )  # fmt: skip
    own = scores[criterion]
    kept = rounded(
        groups, choose(own, groups, share, scope, own_ratios), whole(groups, own), round_to
    )
    return cut(
        loaded,
        kept,
        images,
        repair,
        fit=fit,
        statistics=scores.statistics,
        progress=progress,
        cancel=cancel,
        criterion=criterion,
        ratio=share,
        scope=scope,
    )


def cut(
    model: LoadedModel,
    kept: Kept,
    images: Any,
    repair: Repair,
    *,
    fit: Fit = "crop",
    statistics: Any = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    **made: Any,
) -> LoadedModel:
    """Return a smaller network that keeps some units: switched off, repaired, then cut.

    Args:
        model: the whole one.
        kept: which units stay.
        images, repair, fit, statistics, progress, cancel: as in ``repaired``.
        **made: plain values that tell how it was made, saved with it.
    """
    groups = find_groups(model)
    gated = gated_copy(model, kept)
    mended = repaired(
        model, gated, kept, groups, images, repair,
        statistics=statistics, fit=fit, progress=progress, cancel=cancel,
    )  # fmt: skip
    return described(sliced_copy(mended, kept, round_to=1), repair=repair, **made)


def whole(groups: Groups, scores: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return scores for every group: zeros for those that a criterion cannot judge."""
    return {one.name: scores.get(one.name, np.zeros(one.size)) for one in groups.groups}
