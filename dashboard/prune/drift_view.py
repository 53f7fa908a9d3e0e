"""How far explanations move: the chosen picture cell by cell, and many pictures."""

from __future__ import annotations

import numpy as np
import streamlit as st

from components import prune_drift, prune_words
from components.saying import counted
from components.words import plain
from dashboard.controls import image_set
from dashboard.heads import asking
from dashboard.prune import choosing, picture_view
from dashboard.prune.keys import PREFIX
from dashboard.prune.looked import Looked, chart
from dashboard.running import pruned
from dashboard.running import pruning as running
from engine.execution.passes import Cancel, Progress
from engine.inputs.image_sets import ImageSet

_PICTURES = 24


def show(looked: Looked) -> None:
    """Draw both."""
    left, right = st.columns([2, 3])
    with left, st.container(border=True, key="card-pr-overlap"):
        st.markdown("**Where the top of the map lies** :gray[:small[the chosen picture]]")
        method = str(st.session_state.get(f"{PREFIX}method"))
        found = None
        if looked.asked.picture is not None:
            found = picture_view.known(looked, method)
        if found is None:
            st.caption("When the picture was asked about, above.")
        else:
            before, after = (one.grid() for one in found.maps)
            chart(
                prune_drift.overlap_figure(before, after), "overlap",
                prune_drift.overlap_alt(before, after),
            )  # fmt: skip
    with right, st.container(border=True, key="card-pr-drift"):
        st.markdown("**Over many pictures** :gray[:small[a dot is a picture; click to see it]]")
        _many(looked, method)


def _many(looked: Looked, method: str) -> None:
    few = image_set.evenly(looked.judging, _PICTURES)
    names = [entry.title for entry in few.entries]
    found = _asked(looked, method, few)
    if found is None:
        st.caption(f"Of {counted(len(few), 'picture')} that judge, before and after.")
        return
    rank = np.array([one.drift.signed.rank for one in found])
    overlap = np.array([one.drift.signed.overlap for one in found])
    chance = found[0].drift.chance
    chart(
        prune_drift.figure(rank, overlap, names, chance=chance), "drift",
        prune_drift.alt(rank, overlap), lambda data: choosing.take(few[data[0]]),
    )  # fmt: skip
    st.markdown(plain(prune_words.drift_sentence(rank, overlap, chance)))
    key = f"pr-drift-{looked.key[:8]}-{method}"
    st.selectbox(
        "Look at", range(len(few)), None, format_func=names.__getitem__, key=key,
        placeholder="one of these pictures",
        on_change=lambda: choosing.take(few[st.session_state[key]]),
    )  # fmt: skip


def _asked(looked: Looked, method: str, few: ImageSet) -> list[pruned.Change] | None:
    plan, repair = looked.plan, looked.settings.repair
    cost = pruned.change_cost(plan, method, repair, len(few))
    key = f"{looked.key} drift {method} {len(few)}"

    def work(progress: Progress, cancel: Cancel) -> list[pruned.Change]:
        network = pruned.gated(plan, looked.kept, repair, looked.key, cancel=cancel)
        pictures = [one.with_fit(plan.fit) for one in few]
        return pruned.changes(plan, network, pictures, method, progress, cancel)

    job = asking.asked(
        "drift", key, running.seconds(looked.model, cost), asking.passes(cost),
        lambda: running.work(key, "Explanations before and after", plan, work), quick=False,
    )  # fmt: skip
    return None if job is None or job.result is None else job.result
