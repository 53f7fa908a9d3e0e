"""``plan_geometry``: where pictures lie at the classifier, network by network, set by set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import ParameterError
from engine.execution.chunks import default_chunk, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes, Progress
from engine.inputs.image_sets import ImageSet
from engine.inputs.images import Fit
from engine.manifest import key_of
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.parameters import check_seed
from engine.prune_results import Geometry
from engine.pruning.geometry.classifier import find_classifier
from engine.pruning.geometry.running import run_geometry
from engine.pruning.sweeping.asking import Asked, ask, prunable
from engine.pruning.sweeping.building import Workshop
from engine.pruning.sweeping.described import decided_by, source_of
from engine.pruning.sweeping.judged import Parts, parted
from engine.pruning.units import Groups

RATIOS = (0.3, 0.6, 0.8)


@dataclass(frozen=True, eq=False)
class GeometryPlan:
    """A study that could be made: what it will be known by, and its cost.

    Attributes:
        model: the untouched network.
        groups: what can be removed from it.
        images: pictures that are looked at.
        calibrating: pictures that networks are scored and repaired with.
        parts: which of both sets.
        asked: criterion, ratios, repair, corruptions …
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
    asked: Asked
    fit: Fit
    seed: int
    request: dict[str, Any]
    key: str
    workshop: Workshop
    cost: Cost

    def run(self, progress: Progress | None = None, cancel: Cancel | None = None) -> Geometry:
        """Compute.

        Args:
            progress: called with passes done and promised.
            cancel: an object with ``is_set()``, looked at before every pass.

        Raises:
            InputError: no picture could be read.
            Cancelled: the caller asked to stop; the model is as it was.
            OutOfMemory: one sample at a time does not fit.
        """
        passes = Passes(self.model, self.cost, progress, cancel)
        passes.check()
        with telling_out_of_memory():
            return run_geometry(self, passes)

    def source(self) -> dict[str, Any]:
        """Return names a person would know; they decide nothing."""
        return source_of(self.model, self.images, self.calibrating)

    @property
    def benchmarks(self) -> tuple[tuple[str, int], ...]:
        """Corruption and severity of each benchmark but the clean one."""
        asked = self.asked
        return tuple((name, level) for name in asked.corruptions for level in asked.severities)


def plan_geometry(
    model: Any,
    images: ImageSet,
    *,
    calibration: ImageSet | None = None,
    criterion: str = "group-l2",
    ratios: Sequence[float] = RATIOS,
    scope: str = "uniform",
    repair: str = "both",
    overrides: Mapping[str, float] | None = None,
    corruptions: Sequence[str] = (),
    severities: Sequence[int] = (3,),
    fit: Fit = "crop",
    seed: int = 0,
) -> GeometryPlan:
    """Check a request for a study of the geometry at the classifier (li2022understanding).

    The networks are the untouched one and one for each ratio; the benchmarks the pictures as they
    are, and under each corruption at each severity.

    Args:
        model: a loaded model, a reference, or an ``nn.Module``, that ends in a linear layer.
        images: to look at; without a label, a picture counts as of the class that the untouched
            network names on the clean one.
        calibration: to score and repair with; by default a third of ``images``, which is then not
            looked at.
        criterion: what scores units.
        ratios: shares of units to remove, each above 0 and below 1.
        scope: "uniform", "global" or "standardised".
        repair: "none", "bn", "bias" or "both".
        overrides: another ratio for some groups, by name.
        corruptions, severities: names, and 1 to 5.
        fit: how pictures are brought to the network's size.
        seed: of all that is drawn, the map included.

    Raises:
        MethodError: nothing can be removed, or a criterion that does not suit.
        ModelError: the network does not end in a linear layer.
        ParameterError: a ratio out of range, an unknown repair, scope, group or corruption.
        InputError: no picture, or the model knows none of the labels.
    """
    check_seed(seed)
    loaded = load_model(model)
    groups = prunable(loaded)
    find_classifier(loaded)  # told before the work
    asked = ask(
        loaded, groups, (criterion,), ratios, (repair,), scope, overrides, 1, corruptions,
        severities,
    )  # fmt: skip
    if len(asked.ratios) < 2:
        raise ParameterError(
            "ratios: name one above 0 at least, to compare with the untouched network"
        )
    calibrating, parts = parted(images, calibration, seed)
    request = _request(loaded, images, calibration, criterion, asked, fit, seed)
    workshop = Workshop(loaded, groups, calibrating, parts, fit)
    networks = len(asked.ratios)
    sets = 1 + len(asked.corruptions) * len(asked.severities)
    cost = workshop.cost((criterion,), (repair,), networks - 1)
    return GeometryPlan(
        model=loaded,
        groups=groups,
        images=images,
        calibrating=calibrating,
        parts=parts,
        asked=asked,
        fit=fit,
        seed=seed,
        request=request,
        key=key_of(request),
        workshop=workshop,
        cost=cost + Cost(len(parts.judged) * networks * sets),
    )


def _request(
    model: LoadedModel,
    images: ImageSet,
    calibration: ImageSet | None,
    criterion: str,
    asked: Asked,
    fit: Fit,
    seed: int,
) -> dict[str, Any]:
    """Return all that decides the numbers."""
    told = asked.told()
    return {
        **decided_by(model, images, calibration, fit, seed),
        "kind": Geometry.kind,
        "criterion": criterion,
        "ratios": told["ratios"][1:],
        "repair": asked.repairs[0],
        **{name: told[name] for name in ("scope", "overrides", "corruptions", "severities")},
        "chunk": default_chunk(model),
    }
