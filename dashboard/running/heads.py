"""Findings about attention heads: quick ones at once and remembered, slow ones as jobs."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from typing import TYPE_CHECKING, TypeVar

from dashboard.running import explanations, keeping
from dashboard.running.models import identity
from engine.execution.cost import Cost
from engine.execution.jobs import Job

if TYPE_CHECKING:
    from engine.execution.passes import Cancel, Progress
    from engine.head_results import HeadMaps, HeadScores, HeadStrength, PartialPruning
    from engine.heads.planning import HeadPlan
    from engine.inputs.images import ImageInput
    from engine.models.loaded import LoadedModel
    from engine.results import Prediction

Head = tuple[int, int]
T = TypeVar("T")

# Maps of a large model take 40 MB: so few are kept.
_KEPT = 12
_INSTANT = 4  # passes

_lock = threading.Lock()
_known: OrderedDict[Hashable, object] = OrderedDict()


def once(key: Hashable, work: Callable[[], T]) -> T:
    """Return what some work found, done anew only if it has been forgotten."""
    with _lock:
        if key in _known:
            _known.move_to_end(key)
            return _known[key]  # type: ignore[return-value]
    found = work()
    with _lock:
        _known[key] = found
        while len(_known) > 4 * _KEPT or _maps_kept() > _KEPT:
            _known.popitem(last=False)
    return found


def _maps_kept() -> int:
    return sum(isinstance(key, tuple) and key[0] == "maps" for key in _known)


def _asked(
    what: str, model: LoadedModel, picture: ImageInput, off: Collection[Head]
) -> tuple[Hashable, ...]:
    return what, identity(model), picture.digest, picture.fit, frozenset(off)


def maps(model: LoadedModel, picture: ImageInput, off: Collection[Head] = ()) -> HeadMaps:
    """Return what all heads attend to in a picture; errors as those of ``look``."""
    from engine.heads.looking import look

    return once(_asked("maps", model, picture, off), lambda: look(model, picture, off=off))


def switched(
    model: LoadedModel, picture: ImageInput, off: Collection[Head]
) -> tuple[Prediction, Prediction]:
    """Return what a model says with all heads, and with some of them off."""
    from engine.heads.switching import with_heads_off

    key = _asked("switched", model, picture, off)
    return once(key, lambda: with_heads_off(model, picture, off))


def strength(model: LoadedModel, picture: ImageInput, off: Collection[Head] = ()) -> HeadStrength:
    """Return how strongly heads attend to near and far in a picture."""
    from engine.heads.measuring_strength import head_strength

    key = _asked("strength", model, picture, off)
    return once(key, lambda: head_strength(model, [picture], off=off))


def blocks(
    model: LoadedModel, picture: ImageInput, head: Head, off: Collection[Head] = ()
) -> PartialPruning:
    """Return what becomes of the answer without a part of one head's attention."""
    from engine.heads.partial import prune_blocks

    others = set(off) - {head}
    key = (*_asked("blocks", model, picture, others), head)
    return once(key, lambda: prune_blocks(model, picture, *head, off=others))


def is_instant(plan: HeadPlan) -> bool:
    """Whether scores take so few passes that they need not wait behind the work of others."""
    return plan.pictures.single and plan.cost.total <= _INSTANT


def at_once(plan: HeadPlan) -> HeadScores:
    """Return scores, found on the caller's thread; errors as those of ``HeadPlan.run``."""
    return once(("scores", plan.key), plan.run)


def seconds(plan: HeadPlan) -> float | None:
    """Return how long scores may take, or None before anything was learned."""
    return explanations.pace().seconds(plan.model.digest, plan.cost)


def submit(plan: HeadPlan) -> Job:
    """Queue scores, or return the job that already finds or found them."""
    title = f"{plan.metric.title} of the heads"
    if _is_private(plan):
        explanations.own(plan.key)
    return explanations.queue().submit(
        plan.key, title, lambda progress, cancel: _work(plan, progress, cancel)
    )


def _is_private(plan: HeadPlan) -> bool:
    """Whether scores rest on an upload, which stays in its session."""
    own = plan.pictures.single and not plan.pictures.origin  # sets are those at hand
    return own or explanations.is_uploaded(plan.model)


def _work(plan: HeadPlan, progress: Progress, cancel: Cancel) -> HeadScores:
    kept = keeping.find_heads(plan)
    if kept is not None:
        return kept
    with explanations.telling(plan.key) as partial:
        found = plan.run(progress, cancel, partial)
    outcome = found.manifest["outcome"]
    used = Cost(**outcome["passes"])
    if used.total and not outcome.get("shared"):
        explanations.pace().learn(plan.model.digest, used, outcome["seconds"])
    if not _is_private(plan):
        keeping.keep(found)
    return found
