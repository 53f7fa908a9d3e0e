"""``prune_sweep``: one call from a model and pictures to what ever smaller networks say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.execution.chunks import chunk_for
from engine.execution.cost import Cost
from engine.execution.keeping import Keeper
from engine.execution.passes import Cancel, Progress
from engine.inputs.image_sets import ImageSet
from engine.inputs.images import Fit
from engine.manifest import key_of
from engine.models.image_labels import match_labels
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.parameters import check_seed
from engine.prune_results import PruneSweep
from engine.pruning.sweeping.asking import Asked, ask, prunable
from engine.pruning.sweeping.building import Workshop
from engine.pruning.sweeping.described import decided_by, source_of
from engine.pruning.sweeping.judged import Parts, parted
from engine.pruning.sweeping.sweep import run_sweep
from engine.pruning.units import Groups

USUAL = ("group-l2",)
RATIOS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, eq=False)
class PrunePlan:
    """A sweep that could be made: what it will be known by, and its cost.

    Attributes:
        model: the untouched network.
        groups: what can be removed from it.
        images: pictures that networks are judged on.
        calibrating: pictures that they are scored and repaired with.
        parts: which of both sets.
        labels: true classes of ``images`` by the model's index, int32; −1 where there is none.
        asked: ratios, criteria, repairs …
        fit: how pictures are brought to the network's size.
        seed: of all that is drawn.
        request: all that decides the numbers.
        key: its digest.
        workshop: makes the networks.
        cost: an upper bound of the passes.
    """

    model: LoadedModel
    groups: Groups
    images: ImageSet
    calibrating: ImageSet
    parts: Parts
    labels: np.ndarray
    asked: Asked
    fit: Fit
    seed: int
    request: dict[str, Any]
    key: str
    workshop: Workshop
    cost: Cost

    def run(
        self,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        keeper: Keeper | None = None,
    ) -> PruneSweep:
        """Compute.

        Args:
            progress: called with passes done and promised.
            cancel: an object with ``is_set()``, looked at before every pass.
            keeper: keeps what each network said, so that work that was stopped goes on.

        Raises:
            InputError: no picture could be read.
            Cancelled: the caller asked to stop; the model is as it was.
            OutOfMemory: one sample at a time does not fit.
        """
        return run_sweep(self, progress, cancel, keeper)

    def source(self) -> dict[str, Any]:
        """Return names a person would know; they decide nothing."""
        return source_of(self.model, self.images, self.calibrating)


def plan_pruning(
    model: Any,
    images: ImageSet,
    *,
    calibration: ImageSet | None = None,
    criteria: Sequence[str] = USUAL,
    ratios: Sequence[float] = RATIOS,
    repairs: Sequence[str] = ("both",),
    scope: str = "uniform",
    overrides: Mapping[str, float] | None = None,
    draws: int = 3,
    corruptions: Sequence[str] = (),
    severities: Sequence[int] = (1, 2, 3, 4, 5),
    fit: Fit = "crop",
    seed: int = 0,
) -> PrunePlan:
    """Check a request and return what it would be known by and cost, without computing it.

    Arguments and errors as in ``prune_sweep``.
    """
    check_seed(seed)
    loaded = load_model(model)
    groups = prunable(loaded)
    asked = ask(
        loaded, groups, criteria, ratios, repairs, scope, overrides, draws, corruptions, severities
    )
    calibrating, parts = parted(images, calibration, seed)
    request = _request(loaded, images, calibration, asked, fit, seed)
    workshop = Workshop(loaded, groups, calibrating, parts, fit)
    return PrunePlan(
        model=loaded,
        groups=groups,
        images=images,
        calibrating=calibrating,
        parts=parts,
        labels=match_labels(images.labels, loaded.classes),
        asked=asked,
        fit=fit,
        seed=seed,
        request=request,
        key=key_of(request),
        workshop=workshop,
        cost=_cost(workshop, asked, len(parts.judged)),
    )


def _request(
    model: LoadedModel,
    images: ImageSet,
    calibration: ImageSet | None,
    asked: Asked,
    fit: Fit,
    seed: int,
) -> dict[str, Any]:
    """Return all that decides the numbers."""
    return {
        **decided_by(model, images, calibration, fit, seed),
        "kind": PruneSweep.kind,
        **asked.told(),
        "chunk": chunk_for(model),
    }


def _cost(workshop: Workshop, asked: Asked, judged: int) -> Cost:
    """Return an upper bound of the passes: scores, repairs, and every network once.

    Args:
        workshop: makes the networks.
        asked: how many.
        judged: pictures, each asked once, and once for each corruption at each severity.
    """
    cuts = 1 + (len(asked.ratios) - 1) * len(asked.choices)  # at ratio 0 all choices are one
    each = judged * (1 + len(asked.corruptions) * len(asked.severities))
    networks = 1 + cuts * len(asked.repairs)  # the untouched one as well
    return workshop.cost(asked.criteria, asked.repairs, cuts) + Cost(each * networks)


def prune_sweep(
    model: Any,
    images: ImageSet,
    *,
    calibration: ImageSet | None = None,
    criteria: Sequence[str] = USUAL,
    ratios: Sequence[float] = RATIOS,
    repairs: Sequence[str] = ("both",),
    scope: str = "uniform",
    overrides: Mapping[str, float] | None = None,
    draws: int = 3,
    corruptions: Sequence[str] = (),
    severities: Sequence[int] = (1, 2, 3, 4, 5),
    fit: Fit = "crop",
    seed: int = 0,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> PruneSweep:
    """Say what is left of a network's answers when ever more of its units are gone.

    Units are switched off (gated), which gives the answers of the smaller network without
    building it; ``engine.prune`` builds it.

    Args:
        model: a loaded model, a reference, or an ``nn.Module``.
        images: from ``load_images``; labels are matched to the model's classes by name. Without
            labels the answers are held against the untouched network's.
        calibration: pictures for scores and repairs; by default a third of ``images``, which is
            then not judged on.
        criteria: names of what scores units; the random control is always drawn beside.
        ratios: shares of units to remove, 0 to below 1; 0 is always among them.
        repairs: what is done after: "none", "bn", "bias", "both".
        scope: "uniform", "global" or "standardised".
        overrides: another ratio for some groups, by name.
        draws: drawings of the random control.
        corruptions: names of corruptions to test under; none by default.
        severities: 1 to 5, of each.
        fit: how pictures are brought to the network's size.
        seed: of all that is drawn.
        progress: called with passes done and passes promised.
        cancel: an object with ``is_set()``, looked at before every pass.

    Raises:
        MethodError: nothing can be removed, or a criterion that does not suit.
        ParameterError: a ratio out of range, an unknown repair, scope, group or corruption.
        InputError: no picture, or the model knows none of the labels.
        Cancelled: the caller asked to stop.
        OutOfMemory: one sample at a time does not fit.
    """
    planned = plan_pruning(
        model,
        images,
        calibration=calibration,
        criteria=criteria,
        ratios=ratios,
        repairs=repairs,
        scope=scope,
        overrides=overrides,
        draws=draws,
        corruptions=corruptions,
        severities=severities,
        fit=fit,
        seed=seed,
    )
    return planned.run(progress, cancel)
