"""Computing where pictures lie: network by network, set by set, put together into one result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.execution.chunks import default_chunk
from engine.execution.cost import Cost
from engine.execution.environment import environment
from engine.execution.passes import Passes
from engine.heads.pictures import Pictures, load_pictures
from engine.inputs.image_sets import ImageSet
from engine.models.loaded import LoadedModel
from engine.models.specs import ImageSpec
from engine.prune_results import Geometry
from engine.pruning.corruptions.corrupting import corruptions as every_corruption
from engine.pruning.corruptions.sets import corrupted_set
from engine.pruning.geometry.measures import MEASURES, PictureGeometry, geometry_of
from engine.pruning.geometry.similarity import similarity_map, vectors_of
from engine.pruning.scoring.registry import find_criterion
from engine.pruning.scoring.scopes import choose
from engine.pruning.sweeping.judged import class_names, held

if TYPE_CHECKING:
    from engine.pruning.geometry.study import GeometryPlan

UNTOUCHED, CLEAN = "untouched", "clean"


def run_geometry(plan: GeometryPlan, passes: Passes) -> Geometry:
    """Compute what a plan promises; errors as in its ``run``."""
    started = time.perf_counter()
    networks = _networks(plan, passes)
    own = plan.images.part(plan.parts.judged.tolist())
    clean = held(load_pictures(plan.model, own, plan.fit))
    first = _looked(plan.model, clean, None, passes)
    readable = clean.part(first.numbers.tolist())
    found = [[first, *(_looked(one, readable, first.labels, passes) for one in networks[1:])]]
    for pictures in _corrupted(plan, own.part(first.numbers.tolist())):
        found.append([_looked(one, pictures, first.labels, passes) for one in networks])
    skipped = [[clean.names[place], why] for place, why in sorted(first.skipped.items())]
    outcome = {
        "passes": {"forward": passes.used.forward, "backward": passes.used.backward},
        "seconds": time.perf_counter() - started,
        "chunk": default_chunk(plan.model),
        "calibrated_on": len(plan.workshop.pictures),
        "skipped": skipped,
        "environment": environment(plan.model.device),
    }
    return _result(plan, readable.names, found, outcome)


def _networks(plan: GeometryPlan, passes: Passes) -> list[LoadedModel]:
    """Return the untouched network, then that of each ratio."""
    name, asked, groups = plan.request["criterion"], plan.asked, plan.groups
    scores = plan.workshop.scores((name,), plan.seed, passes)[name]
    kept = (
        choose(scores, groups, ratio, asked.scope, asked.overrides)  # type: ignore[arg-type]
        for ratio in asked.ratios[1:]
    )
    return [
        plan.model,
        *(plan.workshop.gated(stays, asked.repairs[0], passes) for stays in kept),
    ]


def _corrupted(plan: GeometryPlan, images: ImageSet) -> Iterator[Pictures]:
    """Yield the pictures under one corruption and severity after the other."""
    spec = plan.model.spec
    assert isinstance(spec, ImageSpec)
    for name, severity in plan.benchmarks:
        changed = corrupted_set(images, name, severity, plan.seed, spec=spec, fit=plan.fit)
        yield held(load_pictures(plan.model, changed, plan.fit))


def _looked(
    network: LoadedModel, pictures: Pictures, classes: np.ndarray | None, passes: Passes
) -> PictureGeometry:
    """Return where pictures lie, of the classes given for those without a label."""
    found = geometry_of(
        network, pictures, classes=classes, progress=passes.report, cancel=passes.cancel
    )
    passes.add(Cost(len(found.numbers)))
    return found


def _result(
    plan: GeometryPlan,
    names: Sequence[str],
    found: Sequence[Sequence[PictureGeometry]],
    outcome: dict[str, Any],
) -> Geometry:
    """Return the result of what was found, by benchmark, then network."""
    networks, sets = len(plan.asked.ratios), len(found)

    def laid(each: Callable[[PictureGeometry], np.ndarray]) -> np.ndarray:
        return np.stack([[each(row[place]) for row in found] for place in range(networks)])

    measures = [laid(lambda one, name=name: getattr(one.measures, name)) for name in MEASURES]  # type: ignore[misc]
    rows = [measure.reshape(networks * sets, -1) for measure in measures]
    placed = similarity_map(vectors_of(rows), plan.seed)
    angle, norm, margin = (measure.astype(np.float32) for measure in measures)
    return Geometry(
        manifest={
            "key": plan.key,
            "request": plan.request,
            "source": plan.source(),
            "display": _display(plan, names, placed.how),
            "outcome": outcome,
        },
        angle=angle,
        norm=norm,
        margin=margin,
        predicted=laid(lambda one: one.predicted),
        labels=found[0][0].labels,
        places=placed.places.astype(np.float32),
        tree=placed.tree,
        tree_lengths=placed.tree_lengths.astype(np.float32),
    )


def _display(plan: GeometryPlan, names: Sequence[str], how: str) -> dict[str, Any]:
    title = find_criterion(plan.request["criterion"]).title
    ratios = plan.asked.ratios
    notes = [plan.parts.note] if plan.parts.note else []
    known = every_corruption()
    return {
        "models": [UNTOUCHED, *(f"{title} {100 * ratio:g} %" for ratio in ratios[1:])],
        "benchmarks": [
            CLEAN,
            *(f"{known[name].title} {severity}" for name, severity in plan.benchmarks),
        ],
        "ratios": list(ratios),
        "classes": class_names(plan.model),
        "pictures": list(names),
        "map": how,
        "notes": [*notes, *plan.workshop.notes()],
    }
