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
from engine.prune_results import RANDOM

_VALUES = {
    "accuracy": "Accuracy", "confidence": "Confidence", "ece": "Calibration error",
    "agreement": "Same answer",
}  # fmt: skip
_ALONG = {"ratio": "Units", "parameters": "Parameters"}


def show(looked: Looked) -> None:
    """Draw the curve; a click on it takes the ratio."""
    with st.container(border=True, height="stretch", key="card-pr-curve"):
        left, right = st.columns([3, 2], vertical_alignment="bottom")
        with left:
            value = _chosen("value", "What is drawn", _VALUES)
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


def _judged(looked: Looked) -> str:
    """Say how many pictures judge, and how many calibrate."""
    parts, judging = looked.plan.parts, counted(len(looked.found.labels), "picture")
    calibrating = looked.found.manifest["outcome"]["calibrated_on"]
    same = np.array_equal(parts.judged, parts.calibration)
    return f"{judging} judge, {'the same' if same else f'{calibrating} others'} calibrate"


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
