"""How the small network stands corrupted pictures, beside the whole one."""

from __future__ import annotations

import streamlit as st

from components import prune_corruptions, prune_words
from components.saying import counted
from components.words import plain, sentence
from dashboard.controls import image_set
from dashboard.heads import asking
from dashboard.prune.keys import PREFIX
from dashboard.prune.looked import Looked, chart
from dashboard.running import pruning as running
from engine.errors import HaloscopeError
from engine.prune_results import PruneSweep
from engine.pruning.corruptions.corrupting import corruptions
from engine.pruning.sweeping.planning import PrunePlan, plan_pruning

_USUAL = ("gaussian_noise", "defocus_blur", "contrast", "jpeg_compression")
_PICTURES = 36


def show(looked: Looked) -> None:
    """Draw accuracy under each corruption at each severity."""
    with st.container(border=True, key="card-pr-robustness"):
        st.markdown("**On corrupted pictures** :gray[:small[five severities of each]]")
        names = _names()
        if not names:
            st.caption("Choose a corruption.")
            return
        try:
            plan = _plan(looked, names)
        except HaloscopeError as error:
            st.info(sentence(str(error)), icon=":material/info:")
            return
        found = _found(looked, plan)
        if found is None:
            return
        way, ratio = found.ways.index(looked.settings.way), len(found.ratios) - 1
        key = f"{PREFIX}difference"
        st.session_state.setdefault(key, False)
        difference = st.toggle("Against the untouched network", key=key, persist_state="session")
        chart(
            prune_corruptions.figure(found, way, ratio, difference=difference), "robustness",
            prune_corruptions.alt(found, way, ratio, difference=difference),
        )  # fmt: skip
        st.markdown(plain(prune_words.corruptions_sentence(found, way, ratio)))
        st.caption(
            f"{counted(len(found.labels), 'picture')} of those that judge, each corrupted alike "
            "for both networks."
        )


def chosen_names() -> tuple[str, ...]:
    """Return the corruptions that are chosen."""
    return tuple(st.session_state.get(f"{PREFIX}corruptions") or _USUAL)


def _names() -> tuple[str, ...]:
    key, known = f"{PREFIX}corruptions", corruptions()
    given = st.session_state.get(key, list(_USUAL))
    st.session_state[key] = [name for name in given if name in known]
    return tuple(
        st.multiselect(
            "Corruptions", list(known), format_func=lambda name: known[name].title,
            key=key, persist_state="session", label_visibility="collapsed",
        )
    )  # fmt: skip


def _plan(looked: Looked, names: tuple[str, ...]) -> PrunePlan:
    """Return the plan of the one ratio under corruptions, on fewer pictures."""
    own, whole = looked.settings, looked.plan
    few = image_set.evenly(looked.judging, _PICTURES)
    calibration = looked.calibrating
    key = ("robust", whole.key, own.ratio, names)
    return asking.planned(
        key,
        lambda: plan_pruning(
            looked.model, few, calibration=calibration, criteria=(own.criterion,),
            ratios=(own.ratio,), repairs=(own.repair,), scope=own.scope,
            overrides=dict(own.overrides), draws=1, corruptions=names, fit=whole.fit, seed=own.seed,
        ),
    )  # fmt: skip


def _found(looked: Looked, plan: PrunePlan) -> PruneSweep | None:
    spent = running.seconds(looked.model, plan.cost)
    job = asking.asked(
        "robustness", plan.key, spent, asking.passes(plan.cost),
        lambda: running.submit(plan), quick=running.is_kept(plan),
    )  # fmt: skip
    return None if job is None or not isinstance(job.result, PruneSweep) else job.result
