"""The network cut to size: made when it is quick, else at the press of a button."""

from __future__ import annotations

import streamlit as st

from components.prune_costs import Timing
from dashboard.heads import asking
from dashboard.prune.keys import EPOCHS, PREFIX, ROUND, TRAININGS
from dashboard.prune.looked import Looked
from dashboard.running import explanations, shrunk
from dashboard.running import pruning as running
from dashboard.running.shrunk import Small
from engine.execution.passes import Cancel, Progress
from engine.pruning.measuring.latency import Latency, latency_cost


def rounding() -> int:
    """Return the width that layers are multiples of."""
    told = str(st.session_state.get(f"{PREFIX}round") or ROUND)
    return int(told) if told in ("1", "8", "16") else int(ROUND)


def epochs() -> int:
    """Return how long the small network is trained after the cut; 0 for not at all."""
    told = str(st.session_state.get(f"{PREFIX}epochs") or EPOCHS)
    return int(told) if told in TRAININGS else int(EPOCHS)


def key_of(looked: Looked) -> str:
    """Return what the small network is known by."""
    return f"{looked.key} {looked.settings.criterion} small {rounding()} {epochs()}"


def cut(looked: Looked) -> Small | None:
    """Return the small network; show what it costs or how it goes."""
    plan, found, way, ratio, to, long = (
        looked.plan, looked.found, looked.way, looked.ratio, rounding(), epochs(),
    )  # fmt: skip
    cost = shrunk.small_cost(plan, looked.settings.repair, long)
    spent = running.seconds(looked.model, cost)

    def work(progress: Progress, cancel: Cancel) -> Small:
        return shrunk.make(plan, found, way, ratio, to, long, progress, cancel)

    job = asking.asked(
        "small", key_of(looked), spent, asking.passes(cost),
        lambda: running.work(key_of(looked), "The network, cut to size", plan, work),
        quick=not long and asking.is_quick(spent, cost),
    )  # fmt: skip
    return job.result if job is not None and isinstance(job.result, Small) else None


def timing_key(looked: Looked) -> str:
    """Return what the times are known by."""
    return f"{key_of(looked)} timed"


def timed(looked: Looked, small: Small) -> dict[str, Timing] | None:
    """Return how long passes take; measured at the press of a button."""
    plan, before = looked.plan, known(looked)
    cost = latency_cost(3, rounds=shrunk.ROUNDS)

    def work(progress: Progress, cancel: Cancel) -> Latency:
        return shrunk.timed(plan, small.kept, small.model, progress, cancel)

    asking.asked(
        "timing", timing_key(looked), running.seconds(looked.model, cost),
        f"{shrunk.ROUNDS} rounds of three networks, in turn",
        lambda: running.work(timing_key(looked), "Time of a pass", plan, work), quick=False,
    )  # fmt: skip
    after = known(looked)
    if after is not None and before is None:  # measured in this very run: the tile above is older
        st.rerun()
    return after


def known(looked: Looked) -> dict[str, Timing] | None:
    """Return how long passes take if it was measured, in milliseconds by the network's name."""
    job = explanations.queue().find(timing_key(looked))
    if job is None or not isinstance(job.result, Latency):
        return None
    found = job.result
    return {
        name: Timing(1e3 * low, 1e3 * median, 1e3 * high)
        for name, (low, high), median in zip(
            found.names, found.quartiles.tolist(), found.median.tolist(), strict=True
        )
    }
