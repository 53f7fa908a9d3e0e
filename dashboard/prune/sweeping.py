"""From choices to a sweep: begun by itself where it is quick, else at the press of a button."""

from __future__ import annotations

import numpy as np
import streamlit as st

from components.saying import counted
from components.words import sentence
from dashboard.heads import asking
from dashboard.prune.choosing import Asked
from dashboard.prune.looked import Looked
from dashboard.prune.settings import Settings
from dashboard.running import explanations
from dashboard.running import pruning as running
from engine.errors import HaloscopeError
from engine.models.bundled import bundled_models
from engine.prune_results import PruneSweep
from engine.pruning.sweeping.planning import PrunePlan

# What begins without a click: longer for models at hand, of which the first ratio is soon told.
_UNASKED, _AT_HAND = 4.0, 25.0


def find(asked: Asked, settings: Settings, name: str = "") -> Looked | None:
    """Return what is there of the sweep that is asked for; show what it costs or how it goes.

    Args:
        asked, settings: what the widgets say.
        name: tells several on one page apart.
    """
    try:
        with st.spinner("Finding out what can go …"):
            plan = settings.plan(asked)
    except HaloscopeError as error:
        st.warning(sentence(str(error)), icon=":material/info:")
        return None
    spent = running.seconds(plan.model, plan.cost)
    quick = spent <= (_AT_HAND if _is_at_hand(asked.ref) else _UNASKED) or running.is_kept(plan)
    place = st.container()
    with place:
        job = asking.asked(
            f"{name}sweep", plan.key, spent,
            f"{counted(len(plan.asked.ratios), 'ratio')} · {asking.passes(plan.cost)}",
            lambda: running.submit(plan, settings.ratio), quick=quick,
        )  # fmt: skip
    every = [None if job is None else job.result, explanations.so_far(plan.key)]
    if job is None or job.state in ("cancelled", "failed"):
        every.append(_one(plan, settings.ratio, name, begin=job is None))
    for found in every:
        if isinstance(found, PruneSweep):
            ratio = np.flatnonzero(np.isclose(found.ratios, settings.ratio))
            if len(ratio) and settings.way in found.ways:
                way = found.ways.index(settings.way)
                return Looked(asked, settings, plan, found, way, int(ratio[0]))
    if job is not None and job.active:
        st.caption("The ratio that was asked for first is told first, the others follow.")
    return None


def _one(plan: PrunePlan, ratio: float, name: str, *, begin: bool) -> PruneSweep | None:
    """Offer the one ratio that is looked at, which costs less than all of them.

    Args:
        plan, ratio: what is offered a part of.
        name: tells several on one page apart.
        begin: begin without a click where it is quick; not where the user has cancelled the whole.
    """
    part = running.at_ratio(plan, ratio)
    spent = running.seconds(plan.model, part.cost)
    st.caption(f"Or this ratio alone, {100 * ratio:.0f} %:")
    job = asking.asked(
        f"{name}ratio", part.key, spent, asking.passes(part.cost),
        lambda: running.submit(part),
        quick=begin and asking.is_quick(spent, part.cost),
    )  # fmt: skip
    return None if job is None or not isinstance(job.result, PruneSweep) else job.result


def _is_at_hand(ref: str) -> bool:
    return any(model.name == ref for model in bundled_models())
