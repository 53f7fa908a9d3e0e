"""What heads have learned: how far they look, layer by layer, and which patterns there are."""

from __future__ import annotations

from typing import Any

import streamlit as st

from components import head_strength, head_trend, head_words, pattern_map
from components.head_names import TITLES
from components.words import plain
from dashboard.heads import asking, selecting
from dashboard.heads.choosing import Side
from dashboard.heads.link import PREFIX
from dashboard.heads.looking import own_off
from dashboard.heads.marks import Marks
from dashboard.running import head_patterns
from dashboard.running import heads as running
from dashboard.running.models import identity
from dashboard.state import restore
from engine.errors import HaloscopeError
from engine.head_results import HeadStrength
from engine.inputs.image_sets import ImageSet

_FIRST = "distance"
_MANY = ["12", "48", "96"]
_CODES = {"pca": "principal components", "autoencoder": "an auto-encoder, trained here"}
_PLANES = {"pca": "principal components", "umap": "UMAP"}
_UNASKED = 12  # pictures: looked at without a click


def reach(side: Side, now: Marks) -> None:
    """Show how strongly heads attend to near and far, and how that goes over the layers."""
    assert side.model is not None and side.picture is not None
    found = running.strength(side.model, side.picture, own_off(side, now))
    left, right = st.columns([3, 2])
    with left, st.container(border=True, height="stretch", key="card-strength"):
        _strength(found, now)
    with right, st.container(border=True, height="stretch", key="card-trend"):
        _trend(found, now)


def _strength(found: HeadStrength, now: Marks) -> None:
    st.markdown("**How strongly near and far** :gray[:small[a line is a head, in this picture]]")
    hops = found.profile.shape[2] - 1
    key = f"{PREFIX}hop"
    st.session_state[key] = min(int(st.session_state.get(key, 1)), hops)
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    hop = left.slider(
        "Patches away (k)", 0, hops, key=key, persist_state="session",
        help="The distance on the grid of patches, a step to any side or corner being 1.",
    )  # fmt: skip
    restore.aloud(f"{PREFIX}per-cell", False)
    single = right.toggle("Per patch", key=f"{PREFIX}per-cell", persist_state="session")
    said = head_words.strength_sentence(found, *now.head, hop)
    drawn = head_strength.figure(found, hop, now.head, per_cell=single)
    selecting.chart(drawn, "strength", said, selecting.pick_head)
    st.markdown(plain(said))


def _trend(found: HeadStrength, now: Marks) -> None:
    st.markdown("**Over the layers** :gray[:small[a dot is a head, in this picture]]")
    restore.valid(f"{PREFIX}measure", list(TITLES), first=False)
    restore.aloud(f"{PREFIX}measure", _FIRST)
    measure = st.selectbox(
        "Measure",
        list(TITLES),
        format_func=TITLES.__getitem__,
        key=f"{PREFIX}measure",
        label_visibility="collapsed",
        persist_state="session",
    )
    said = head_words.trend_sentence(found, measure)
    drawn = head_trend.figure(found, measure, now.head)
    selecting.chart(drawn, "trend", said, selecting.pick_head)
    st.markdown(plain(said))


def patterns(side: Side, now: Marks) -> None:
    """Show what heads look at in many pictures, in clusters."""
    with st.container(border=True, key="card-patterns"):
        st.markdown("**What heads have learned** :gray[:small[a dot is a head in a picture]]")
        try:
            plan = _planned(side)
        except HaloscopeError as error:
            st.info(plain(str(error)), icon=":material/info:")
            return
        job = asking.asked(
            "patterns",
            plan.key,
            None,
            f"{asking.passes(plan.cost)}, then clusters of the maps",
            lambda: head_patterns.submit(plan),
            quick=len(plan.images) <= _UNASKED and plan.code == plan.plane == "pca",
        )
        found = None if job is None else job.result
        if found is None:
            return
        said = head_words.patterns_sentence(found, now.head)
        selecting.chart(pattern_map.figure(found, now.head), "patterns", said, selecting.pick_alone)
        st.markdown(plain(said))
        told = found.manifest["outcome"]
        st.caption(
            f"{told['pictures']} pictures of {plain(plan.images.name)} · near means alike · "
            f"how well clusters stand apart (silhouette, at most 1): {told['silhouette']:.2f} · "
            f"{told['seconds']:.2g} s · with all heads on"
        )


def _planned(side: Side) -> head_patterns.PatternPlan:
    left, middle, right = st.columns(3)
    choices: dict[str, list[Any]] = {
        "many": _MANY, "code": list(_CODES), "plane": list(_PLANES)
    }  # fmt: skip
    for name, options in choices.items():
        restore.valid(f"{PREFIX}{name}", options)
        restore.aloud(f"{PREFIX}{name}", options[0])
    common: dict[str, Any] = {"persist_state": "session"}
    many = int(left.selectbox("Pictures", _MANY, key=f"{PREFIX}many", **common))
    code = middle.selectbox(
        "Maps told apart by", list(_CODES), format_func=_CODES.__getitem__,
        key=f"{PREFIX}code", **common,
    )  # fmt: skip
    plane = right.selectbox(
        "Laid out by", list(_PLANES), format_func=_PLANES.__getitem__,
        key=f"{PREFIX}plane", **common,
    )  # fmt: skip
    assert side.model is not None
    model, home = side.model, side.home
    key = (identity(model), home, many, code, plane)
    images = side.pictures(many)
    assert isinstance(images, ImageSet)
    return asking.planned(key, lambda: head_patterns.plan(model, images, code, plane))
