"""The card "How far to trust it": checks on the map that is shown."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components import words
from components.predictions import percent
from dashboard.running.explanations import Explained

_GOOD_GAP = 0.05


def card(explained: Explained) -> None:
    """Show the checks."""
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
    return f"{100 * difference:+.1f} points"
