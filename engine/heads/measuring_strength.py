"""``head_strength``: how strongly heads attend to near and far, over one picture or many."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from engine.execution.passes import Cancel, Progress
from engine.head_results import HeadStrength, mean_of_heads
from engine.heads.looking import Head
from engine.heads.strength import strength_of
from engine.heads.study import Pictures, over_pictures, plan_study
from engine.models.loaded import LoadedModel


def head_strength(
    model: LoadedModel,
    pictures: Pictures,
    *,
    off: Collection[Head] = (),
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> HeadStrength:
    """Measure the attention strength of all heads; pictures that cannot be read are left out.

    Args:
        model: a loaded model.
        pictures: a set, or several inputs; ``[given]`` for a single one.
        off: layer and head of those switched off.
        progress: called with passes done and passes promised.
        cancel: an object with ``is_set()``, looked at before every pass.

    Raises:
        MethodError: the model's attention cannot be seen, or its tokens have no known places.
        ParameterError: a head that it does not have.
        InputError: not one picture can be read.
        Cancelled: the caller asked to stop.
    """
    study = plan_study(model, pictures, HeadStrength.kind, off=off)
    passes = study.passes(progress, cancel)
    found = [strength_of(maps, study.size) for _, maps in study.looks(passes)]
    profile, profile_error = over_pictures([one.profile for one in found])
    measures, measures_error = over_pictures([one.measures for one in found])
    _, trends_error = over_pictures([mean_of_heads(one.measures) for one in found])
    return HeadStrength(
        study.manifest(passes, {}),
        profile,
        found[0].cells.astype(np.float32),
        measures,
        profile_error,
        measures_error,
        trends_error,
    )
