"""One picture before and after: what is said of it, why, and how far the reason moved."""

from __future__ import annotations

import numpy as np
import streamlit as st

from components import prediction_pairs, prune_words
from components.saying import share
from components.views import look_at
from components.words import plain, sentence
from dashboard.explore import drawing
from dashboard.heads import asking
from dashboard.prune.keys import PREFIX
from dashboard.prune.looked import Looked
from dashboard.running import explanations, pruned
from dashboard.running import pruning as running
from dashboard.state import restore
from engine.attribution.registry import methods_for
from engine.errors import HaloscopeError
from engine.execution.passes import Cancel, Progress
from engine.results import Attribution

_CHEAP = ("grad-cam", "gradient", "gradient-input", "attention-rollout")


def show(looked: Looked) -> None:
    """Draw both pictures, what is said of them, and the drift."""
    with st.container(border=True, height="stretch", key="card-pr-picture"):
        method = chooser(looked)
        if looked.asked.picture is None:
            st.info("Choose a picture at the left.", icon=":material/image:")
            return
        found = _change(looked, method)
        if found is None:
            return
        with st.container(key="pr-pair"):
            _pair(looked, found)
        st.markdown(plain(prediction_pairs.sentence(found.before, found.after, "pruned")))
        drift = found.drift
        st.caption(
            plain(
                prune_words.drift_sentence(
                    np.array([drift.signed.rank]), np.array([drift.signed.overlap]), drift.chance
                )
            )
        )


def _pair(looked: Looked, found: pruned.Change) -> None:
    """Draw the picture twice, under what each network looks at."""
    sides = (("Before", found.before, found.maps[0]), ("After", found.after, found.maps[1]))
    for column, (name, said, given) in zip(st.columns(2), sides, strict=True):
        told = f"{said.classes[said.best]}, {share(float(said.probabilities[said.best]))}"
        column.image(_laid(looked, given), width="stretch")
        column.markdown(f":small[{name}: {plain(told)}]")


def chooser(looked: Looked) -> str:
    """Show the chooser of the method of attribution."""
    suited = {one.name: one.title for one in methods_for(looked.model)}
    names = sorted(suited, key=lambda name: (*_CHEAP, name).index(name))
    key = f"{PREFIX}method"
    restore.valid(key, names)
    return st.selectbox(
        "Map of", names, format_func=lambda name: f"Why, by {suited[name]}", key=key,
        persist_state="session", label_visibility="collapsed",
    )  # fmt: skip


def _change(looked: Looked, method: str) -> pruned.Change | None:
    """Return what became of the picture, computed if that is quick."""
    picture, repair = looked.asked.picture, looked.settings.repair
    assert picture is not None
    key = _key(looked, method)
    try:
        cost = pruned.change_cost(looked.plan, method, repair)
    except HaloscopeError as error:
        st.info(sentence(str(error)), icon=":material/info:")
        return None

    def work(progress: Progress, cancel: Cancel) -> pruned.Change:
        network = pruned.gated(looked.plan, looked.kept, repair, looked.key, progress, cancel)
        return pruned.changes(looked.plan, network, [picture], method, progress, cancel)[0]

    spent = running.seconds(looked.model, cost)
    job = asking.asked(
        "picture", key, spent, asking.passes(cost),
        lambda: running.work(key, "The picture before and after", looked.plan, work),
        quick=asking.is_quick(spent, cost),
    )  # fmt: skip
    return job.result if job is not None and isinstance(job.result, pruned.Change) else None


def known(looked: Looked, method: str) -> pruned.Change | None:
    """Return what became of the chosen picture, if that is there."""
    job = explanations.queue().find(_key(looked, method))
    return None if job is None else job.result


def _key(looked: Looked, method: str) -> str:
    picture = looked.asked.picture
    assert picture is not None
    return f"{looked.key} {picture.digest} {picture.fit} {method}"


def _laid(looked: Looked, given: Attribution) -> bytes:
    picture = looked.asked.picture
    assert picture is not None
    photo_key = drawing.photo_key(looked.model, picture)
    photo = drawing.photo(photo_key, looked.model, picture)
    return drawing.overlay_file(
        f"{given.key} {photo_key}", _OPACITY, False, photo, look_at(given, "positive"), None
    )


_OPACITY = 0.8
