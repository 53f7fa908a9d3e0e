"""The card "How far to trust it": checks on the map that is shown."""

from __future__ import annotations

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components import words
from components.predictions import percent
from dashboard.running.explanations import Explained
from engine.evaluation.truth import Inside, inside

_GOOD_GAP = 0.05


def card(explained: Explained, mask: np.ndarray | None) -> None:
    """Show the checks; mask is what is known to decide the class, as the network sees it."""
    with st.container(border=True, key="trust", height="stretch"):
        st.markdown("**How far to trust it** :gray[:small[checks on this map]]")
        hiding = explained.hiding
        if hiding is not None:
            st.markdown(
                words.verdict(hiding.before, hiding.after, hiding.control, hiding.control_error)
            )
        left, right = st.columns(2)
        if hiding is not None:
            _hidden_top(left, hiding.before, hiding.after)
            _hidden_elsewhere(right, hiding.before, hiding.control, hiding.control_error)
            _concentration(left, hiding.concentration, hiding.share)
        if mask is not None:
            _in_mask(right, inside(explained.attribution, mask))
        told = explained.attribution.manifest["outcome"].get("completeness")
        if told:
            _completeness(right, told["gap"], told["difference"])


def _hidden_top(place: DeltaGenerator, before: float, after: float) -> None:
    place.metric(
        "Top tenth hidden",
        percent(after),
        _points(after - before),
        delta_color="inverse",
        help="The target's probability once the top of the map is blurred away. A map that names "
        "what the prediction rests on makes it fall. Our definition.",
    )


def _hidden_elsewhere(place: DeltaGenerator, before: float, control: float, error: float) -> None:
    place.metric(
        "Same shape elsewhere",
        percent(control),
        _points(control - before),
        delta_color="off",
        help="For comparison: the same shape blurred at eight random other places, on average "
        f"(standard error {100 * error:.1f} points).",
    )


def _concentration(place: DeltaGenerator, value: float, share: float) -> None:
    place.metric(
        "In the top tenth",
        percent_whole(value),
        "of all evidence",
        delta_color="off",
        delta_arrow="off",
        help="How much of the positive evidence lies in that part of the picture; "
        f"{percent_whole(share)} would be spread evenly.",
    )


def _in_mask(place: DeltaGenerator, found: Inside | None) -> None:
    if found is None:
        return
    peak = "inside" if found.peak else "in its hull" if found.peak_in_hull else "outside"
    place.metric(
        "In the true mask",
        percent_whole(found.share),
        f"peak {peak}",
        delta_color="off",
        delta_arrow="off",
        help="How much of the positive evidence lies on what is known to decide the class; the "
        f"mask covers {percent_whole(found.area)} of the picture, so chance would be that.",
    )


def _completeness(place: DeltaGenerator, gap: float, difference: float) -> None:
    share = abs(gap) / abs(difference) if difference else float("inf")
    place.metric(
        "Completeness gap",
        f"{100 * share:.1f} %",
        "within 5 %" if share <= _GOOD_GAP else "more steps would help",
        delta_color="normal" if share <= _GOOD_GAP else "inverse",
        delta_arrow="off",
        help=f"The values should add up to {difference:.4g}, the score's difference from the "
        f"baseline; they miss it by {gap:.2g}.",
    )


def percent_whole(share: float) -> str:
    """Say a share without decimals: "10 %"."""
    return f"{100 * share:.0f} %"


def _points(difference: float) -> str:
    return f"{round(100 * difference, 1) + 0.0:+.1f} points"
