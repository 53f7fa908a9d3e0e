"""``replay``: compute a saved result again, and say whether it came out the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.errors import ReplayError
from engine.execution.passes import Cancel, Progress
from engine.head_results import (
    HeadPatterns,
    HeadScores,
    HeadStrength,
    PartialPruning,
    PruningCurve,
)
from engine.interaction_results import Interactions
from engine.mask_results import MaskPreview, MaskSweep, MissingnessStudy
from engine.prune_results import Geometry, PruneSweep
from engine.replay.attributions import plan_again
from engine.replay.comparing import (
    TOLERANCE,
    Verdict,
    compared,
    differences,
    environment_apart,
    verdict,
)
from engine.replay.head_studies import head_study_again
from engine.replay.heads import curve_again, heads_again
from engine.replay.interactions import interactions_again
from engine.replay.masks import preview_again, sweep_again
from engine.replay.missingness import PROBED, probe_again, study_again
from engine.replay.pruning import geometry_again, pruning_again
from engine.replay.sets import columns_again, scores_again
from engine.results import Attribution, Result
from engine.scores import Scores
from engine.table_results import Measured

__all__ = ["TOLERANCE", "Replayed", "Verdict", "plan_again", "replay"]


@dataclass(frozen=True, eq=False)
class Replayed:
    """What came of computing a saved result again.

    Attributes:
        verdict: "equal to the bit", "within tolerance" or "different".
        difference: relative: root of the summed squared differences over that of the saved
            values, of the array worst off; 0 where all are equal, infinite where shapes differ.
        largest: largest absolute difference of a single value, in the result's unit.
        environment: what differs in where it was computed: ``name: (then, now)``.
        result: the result of now.
    """

    verdict: Verdict
    difference: float
    largest: float
    environment: dict[str, tuple[str, str]]
    result: Result

    @property
    def values(self) -> int:
        """How many values were compared."""
        arrays = (getattr(self.result, name) for name in compared(self.result))
        return sum(int(array.size) for array in arrays if array is not None)


def replay(
    saved: Result,
    model: Any = None,
    given: Any = None,
    *,
    background: Any = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Replayed:
    """Compute a saved result again and compare.

    Args:
        saved: an attribution, a test on an image set, a finding about columns or about attention
            heads, a preview of masks, a sweep, a study of missing parts or a probe of fills,
            interactions, a sweep over ways of pruning, or geometry after it, as ``load_result``
            returns it.
        model: by default what the result's source names; a network or an estimator in hand must
            be given.
        given: the input, image set or table; by default the file or the sample that the source
            names. What was only in memory must be given.
        background: what an attribution compares with, if it is in no file.
        progress, cancel: as in ``explain``.

    Raises:
        ReplayError: the model or the input cannot be found, or is not the one of then.
        HaloscopeError: as in ``explain``.
    """
    computed = _planned(saved, model, given, background).run(progress, cancel)
    difference, largest = differences(saved, computed)
    apart = environment_apart(saved.manifest, computed.manifest)
    return Replayed(verdict(saved, computed, difference), difference, largest, apart, computed)


def _planned(saved: Result, model: Any, given: Any, background: Any) -> Any:
    """Return what a result was computed from; its ``run(progress, cancel)`` computes it."""
    if isinstance(saved, Attribution):
        return plan_again(saved, model, given, background)
    if background is not None:
        raise ReplayError(f"a result of kind {saved.kind} compares with no background")
    for kinds, again in _AGAIN:
        if isinstance(saved, kinds):
            return again(saved, model, given)
    raise ReplayError(f"a result of kind {saved.kind} cannot be replayed")


# By the kind of result: what finds out how it was computed.
_AGAIN: tuple[tuple[Any, Callable[..., Any]], ...] = (
    (Scores, scores_again),
    (Measured, columns_again),
    (HeadScores, heads_again),
    (PruningCurve, curve_again),
    ((HeadStrength, HeadPatterns, PartialPruning), head_study_again),
    (MaskPreview, preview_again),
    (MaskSweep, sweep_again),
    (MissingnessStudy, study_again),
    (PROBED, probe_again),
    (Interactions, interactions_again),
    (PruneSweep, pruning_again),
    (Geometry, geometry_again),
)
