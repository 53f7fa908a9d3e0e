"""Results kept on disk: looked for before computing, saved after.

A disk that is full or cannot be written to is told in one line; the work goes on without.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from engine.errors import StoreError
from engine.head_results import HeadScores
from engine.interaction_results import Interactions
from engine.mask_results import MaskPreview, MaskSweep
from engine.prune_results import Geometry, PruneSweep
from engine.results import Attribution, Result
from engine.store import default_store

if TYPE_CHECKING:
    from engine.attribution.explain import Plan
    from engine.heads.planning import HeadPlan
    from engine.interactions.planning import InteractionPlan
    from engine.missingness.previewing import PreviewPlan
    from engine.missingness.sweeping import SweepPlan
    from engine.pruning.geometry.study import GeometryPlan
    from engine.pruning.sweeping.planning import PrunePlan
    from engine.table_results import Measured
    from engine.tables.measuring import MeasurePlan

    _Plan = (
        Plan
        | MeasurePlan
        | HeadPlan
        | PreviewPlan
        | SweepPlan
        | InteractionPlan
        | PrunePlan
        | GeometryPlan
    )

Tell = Callable[[StoreError], None]
R = TypeVar("R", bound=Result)

_told: set[str] = set()


def log_once(error: StoreError) -> None:
    """Write what went wrong into the log, once for each message."""
    if str(error) not in _told:
        _told.add(str(error))
        logging.getLogger("haloscope").warning("%s", error)


def find(plan: Plan, tell: Tell = log_once) -> Attribution | None:
    """Return what a plan would compute, if it was computed before; named as the plan names it."""
    return _find(plan, Attribution, tell)


def find_measured(plan: MeasurePlan, tell: Tell = log_once) -> Measured | None:
    """The same for a finding about columns."""
    from engine.table_results import Measured

    return _find(plan, Measured, tell)


def find_heads(plan: HeadPlan, tell: Tell = log_once) -> HeadScores | None:
    """The same for scores of attention heads."""
    return _find(plan, HeadScores, tell)


def find_preview(plan: PreviewPlan, tell: Tell = log_once) -> MaskPreview | None:
    """The same for a preview of masks."""
    return _find(plan, MaskPreview, tell)


def find_sweep(plan: SweepPlan, tell: Tell = log_once) -> MaskSweep | None:
    """The same for a sweep over a map's top."""
    return _find(plan, MaskSweep, tell)


def find_interactions(plan: InteractionPlan, tell: Tell = log_once) -> Interactions | None:
    """The same for interactions."""
    return _find(plan, Interactions, tell)


def find_pruning(plan: PrunePlan, tell: Tell = log_once) -> PruneSweep | None:
    """The same for a sweep over ways of pruning."""
    return _find(plan, PruneSweep, tell)


def find_geometry(plan: GeometryPlan, tell: Tell = log_once) -> Geometry | None:
    """The same for where pictures lie at the classifiers of pruned networks."""
    return _find(plan, Geometry, tell)


class Resumable:
    """A plan of long work whose finished parts are kept.

    Args:
        planned: with ``run(progress, keeper=…)``.
        keeper: keeps them; None for nothing.
    """

    def __init__(self, planned: Any, keeper: Keeping | None) -> None:
        self._planned = planned
        self._keeper = keeper

    def __getattr__(self, name: str) -> Any:
        return getattr(self._planned, name)

    def run(self, progress: Any) -> Any:
        """Compute, beginning where earlier work ended."""
        return self._planned.run(progress, keeper=self._keeper)


class Keeping:
    """Finished parts of long work, kept so that it can go on later.

    Args:
        tell: called with what cannot be kept.
    """

    def __init__(self, tell: Tell = log_once) -> None:
        self._tell = tell

    def find(self, key: str) -> Result | None:
        """Return the result of a key, if it is kept."""
        return find_any(key, self._tell)

    def keep(self, result: Result) -> None:
        """Save a result, if results are kept at all."""
        keep(result, self._tell)


def _find(plan: _Plan, kind: type[R], tell: Tell) -> R | None:
    found = find_any(plan.key, tell)
    if not isinstance(found, kind):
        return None
    return replace(found, manifest={**found.manifest, "source": plan.source()})


def find_any(key: str, tell: Tell = log_once) -> Result | None:
    """Return the result of a key, of whatever kind, if it is kept."""
    try:
        store = default_store()
        return store.get(key) if store.limit_bytes else None
    except StoreError as error:
        tell(error)
        return None


def keep(result: Result, tell: Tell = log_once) -> None:
    """Save a result, if results are kept at all."""
    try:
        store = default_store()
        if store.limit_bytes:
            store.put(result)
    except StoreError as error:
        tell(error)
