"""The curve over all ratios, with the random control, and the ratio that is looked at."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import streamlit as st

from components import prune_curve
from components.saying import counted
from components.words import plain, sentence
from dashboard.prune.keys import PREFIX
from dashboard.prune.looked import Looked, chart
from dashboard.state import restore
from engine.prune_results import RANDOM, PruneSweep

_VALUES = {
    "accuracy": "Accuracy", "confidence": "Confidence", "ece": "Calibration error",
    "agreement": "Same answer",
}  # fmt: skip
_NAMED = 3  # files left out that are named
_ALONG = {"ratio": "Units", "parameters": "Parameters"}


def show(looked: Looked) -> None:
    """Draw the curve; a click on it takes the ratio."""
    with st.container(border=True, height="stretch", key="card-pr-curve"):
        left, right = st.columns([3, 2], vertical_alignment="bottom")
        with left:
            value = _chosen("value", "What is drawn", _values(looked.found))
        with right:
            along = _chosen("along", "Against", _ALONG)
        found, way, ratio = looked.found, looked.way, looked.ratio
        chart(
            prune_curve.figure(
                found, way, ratio, compare=_beside(looked), value=cast(Any, value),
                along=cast(Any, along),
            ),
            "curve",
            prune_curve.alt(found, way, ratio, value=cast(Any, value)),
            lambda data: take(looked, data),
        )  # fmt: skip
        st.caption(plain(f"{_judged(looked)} · bands: 95 % intervals"))
        for note in found.display["notes"]:
            st.caption(f":material/info: {sentence(note)}")
        if missing := left_out(looked):
            st.caption(f":material/block: {sentence(missing)}")


def _values(found: PruneSweep) -> dict[str, str]:
    """Return what can be drawn; without labels nothing is called accuracy."""
    if found.labelled:
        return _VALUES
    if st.session_state.get(f"{PREFIX}value") == "agreement":
        st.session_state[f"{PREFIX}value"] = "accuracy"  # which it is without labels
    return {"accuracy": "Same answer", "confidence": "Confidence", "ece": "Confidence gap"}


def _judged(looked: Looked) -> str:
    """Say how many pictures judge, and how many calibrate."""
    parts, found = looked.plan.parts, looked.found
    count, counting = len(found.labels), int(found.judged.sum())
    judging = f"{counted(count, 'picture')} {'judges' if count == 1 else 'judge'}"
    if counting < count:
        judging = f"{counting} of {counted(count, 'picture')} have a label and judge"
    calibrating = found.manifest["outcome"]["calibrated_on"]
    others = f"{calibrating} {'other calibrates' if calibrating == 1 else 'others calibrate'}"
    if np.array_equal(parts.judged, parts.calibration):
        others = f"the same {'calibrates' if calibrating == 1 else 'calibrate'}"
    return f"{judging}, {others}"


def left_out(looked: Looked) -> str:
    """Say which pictures could not be read, or nothing."""
    images = looked.asked.images
    listed = [] if images is None else [(one.name, one.reason) for one in images.skipped]
    every = [*listed, *looked.found.manifest["outcome"]["skipped"]]
    if not every:
        return ""
    told = ", ".join(f"{name} ({why})" for name, why in every[:_NAMED])
    more = f" and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return f"{counted(len(every), 'file')} left out: {told}{more}"


def _beside(looked: Looked) -> list[int]:
    return [
        place
        for place, way in enumerate(looked.found.ways)
        if way.criterion != RANDOM and place != looked.way
    ]


def take(looked: Looked, data: list[int]) -> None:
    """Look at the ratio that was clicked, and at the criterion if another one's curve was."""
    way, ratio = looked.found.ways[data[0]], float(looked.found.ratios[data[1]])
    st.session_state[f"{PREFIX}ratio"] = round(100 * ratio)
    if way.criterion != RANDOM:
        if way.repair != looked.settings.repair:
            st.session_state[f"{PREFIX}repair"] = way.repair
        before = looked.settings.criterion
        if way.criterion != before:
            also = [name for name in looked.settings.also if name != way.criterion]
            st.session_state[f"{PREFIX}also"] = [*also, before]
            st.session_state[f"{PREFIX}criterion"] = way.criterion


def _chosen(name: str, label: str, titles: dict[str, str]) -> str:
    key = f"{PREFIX}{name}"
    restore.valid(key, list(titles))
    st.session_state.setdefault(key, next(iter(titles)))
    return st.selectbox(
        label, list(titles), format_func=titles.__getitem__, key=key, persist_state="session",
        label_visibility="collapsed",
    )  # fmt: skip
