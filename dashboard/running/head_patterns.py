"""What heads have learned to look at in many pictures, as jobs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dashboard.running import explanations, keeping
from engine.execution.cost import Cost
from engine.execution.jobs import Job

if TYPE_CHECKING:
    from engine.execution.passes import Cancel, Progress
    from engine.head_results import HeadPatterns
    from engine.heads.patterns import Code, Plane
    from engine.inputs.image_sets import ImageSet
    from engine.models.loaded import LoadedModel


@dataclass(frozen=True, eq=False)
class PatternPlan:
    """Patterns that could be looked for.

    Attributes:
        model, images: what is looked at.
        code: "pca" or "autoencoder".
        plane: "pca" or "umap".
        key: content key of the result.
    """

    model: LoadedModel
    images: ImageSet
    code: Code
    plane: Plane
    key: str

    @property
    def cost(self) -> Cost:
        """The passes; clustering comes on top."""
        return Cost(len(self.images))


def plan(model: LoadedModel, images: ImageSet, code: Code, plane: Plane) -> PatternPlan:
    """Check what is asked; nothing is run.

    Raises:
        MethodError: the model's tokens have no known places, or umap-learn is not installed.
    """
    from engine.head_results import HeadPatterns
    from engine.heads.mapping import need_umap
    from engine.heads.study import plan_study
    from engine.manifest import key_of

    if plane == "umap":
        need_umap()
    asked: dict[str, Any] = {"code": code, "plane": plane, "seed": 0}
    study = plan_study(model, images, HeadPatterns.kind, **asked)
    return PatternPlan(model, images, code, plane, key_of(study.request))


def submit(planned: PatternPlan) -> Job:
    """Queue a search for patterns, or return the job that already does or did it."""
    if explanations.is_uploaded(planned.model):
        explanations.own(planned.key)
    return explanations.queue().submit(
        planned.key,
        f"Patterns of the heads in {len(planned.images)} pictures",
        lambda progress, cancel: _work(planned, progress, cancel),
    )


def _work(planned: PatternPlan, progress: Progress, cancel: Cancel) -> HeadPatterns:
    from engine.head_results import HeadPatterns
    from engine.heads.patterns import head_patterns

    kept = keeping.find_any(planned.key)
    if isinstance(kept, HeadPatterns):
        return kept
    found = head_patterns(
        planned.model, planned.images, code=planned.code, plane=planned.plane,
        progress=progress, cancel=cancel,
    )  # fmt: skip
    if not explanations.is_uploaded(planned.model):
        keeping.keep(found)
    return found
