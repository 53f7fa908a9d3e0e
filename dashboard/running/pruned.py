"""Pruned networks in use: made once for a plan, and what they say of pictures beside the whole."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from engine.execution.cost import Cost

if TYPE_CHECKING:
    from engine.execution.passes import Cancel, Progress
    from engine.inputs.images import ImageInput
    from engine.models.loaded import LoadedModel
    from engine.prune_results import PruneSweep
    from engine.pruning.measuring.drift import Drift
    from engine.pruning.sweeping.planning import PrunePlan
    from engine.pruning.units import Kept
    from engine.results import Attribution, Prediction

T = TypeVar("T")
_KEPT = 6  # of each plan: networks, and what was found of them

_lock = threading.Lock()
_found: WeakKeyDictionary[PrunePlan, OrderedDict[str, object]] = WeakKeyDictionary()


def once(plan: PrunePlan, key: str, make: Callable[[], T]) -> T:
    """Return what belongs to a plan, made once; it is gone when the plan is."""
    with _lock:
        known = _found.setdefault(plan, OrderedDict())
        if key in known:
            known.move_to_end(key)
            return known[key]  # type: ignore[return-value]
    made = make()
    with _lock:
        known[key] = made
        while len(known) > _KEPT:
            known.popitem(last=False)
    return made


def gated(
    plan: PrunePlan,
    kept: Kept,
    repair: str,
    key: str,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> LoadedModel:
    """Return the very network that a sweep has judged: units switched off, repaired.

    Args:
        plan: of the sweep.
        kept: which units stay.
        repair: what is done after.
        key: tells the network apart from others of the plan.
        progress, cancel: as everywhere.
    """
    from engine.execution.passes import Passes

    def make() -> LoadedModel:
        passes = Passes(plan.model, repair_cost(plan, repair), progress, cancel)
        return plan.workshop.gated(kept, repair, passes)

    return once(plan, f"gated {key}", make)


def repair_cost(plan: PrunePlan, repair: str) -> Cost:
    """Return an upper bound of the passes that make one network."""
    return plan.workshop.cost((), (repair,), 1)


@dataclass(frozen=True, eq=False)
class Change:
    """What a picture is to a network before and after.

    Attributes:
        before, after: what they say.
        maps: why they say it: of the class that the untouched network names, before and after.
        drift: how far the map moved.
    """

    before: Prediction
    after: Prediction
    maps: tuple[Attribution, Attribution]
    drift: Drift


def change_cost(plan: PrunePlan, method: str, repair: str, pictures: int = 1) -> Cost:
    """Return an upper bound of the passes of ``changes``."""
    from engine.attribution.registry import find_method

    found = find_method(method)
    values = {one.name: one.default for one in found.parameters_for(plan.model)}
    each = found.cost(plan.model, values) + Cost(2)
    every = Cost(2 * pictures * each.forward, 2 * pictures * each.backward)
    return every + repair_cost(plan, repair)


def changes(
    plan: PrunePlan,
    network: LoadedModel,
    pictures: Sequence[ImageInput],
    method: str,
    progress: Progress,
    cancel: Cancel,
) -> list[Change]:
    """Ask both networks about pictures, and why.

    Args:
        plan: of the sweep; its model is the untouched network.
        network: the pruned one.
        pictures: which.
        method: of attribution.
        progress: called with pictures done and all of them.
        cancel: looked at before every pass.
    """
    from engine.pruning.measuring.drift import drift

    found = []
    for place, picture in enumerate(pictures):
        before, first = _asked(plan.model, picture, method, None, cancel)
        after, second = _asked(network, picture, method, before.best, cancel)
        found.append(Change(before, after, (first, second), drift(first, second)))
        progress(place + 1, len(pictures))
    return found


def _asked(
    model: LoadedModel, picture: ImageInput, method: str, target: int | None, cancel: Cancel
) -> tuple[Prediction, Attribution]:
    from engine.attribution.explain import plan
    from engine.execution.predict import predict

    said = predict(model, picture)
    asked = plan(model, picture, method, said.best if target is None else target)
    return said, asked.run(None, cancel)


def right(
    network: LoadedModel, plan: PrunePlan, found: PruneSweep, progress: Progress, cancel: Cancel
) -> np.ndarray:
    """Return which of a sweep's pictures that count a network names right, bool ``(n,)``."""
    from engine.execution.chunks import Chunks
    from engine.execution.passes import Passes
    from engine.pruning.sweeping.judged import Prepared, answers

    pictures = Prepared(plan.model, plan.images, plan.parts.judged, plan.fit)
    passes = Passes(network, Cost(len(pictures)), progress, cancel)
    said, _ = answers(passes, Chunks(plan.request["chunk"]), network, pictures)
    return np.asarray((said == found.truth)[found.judged])
