"""The card "How far to trust it": checks on the map that is shown."""

from __future__ import annotations

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from components import words
from components.predictions import percent
from dashboard.running.explanations import Explained
from engine.evaluation.truth import Inside, inside
from engine.results import Attribution

_GOOD_GAP = 0.05
_GOOD_FIT = 0.8


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
        if explained.attribution.error is not None:
            _sampling_error(left, explained.attribution)
        if "fit" in explained.attribution.manifest["outcome"]:
            _fit(right, explained.attribution.manifest["outcome"]["fit"])
        told = explained.attribution.manifest["outcome"].get("completeness")
        if told:
            _completeness(right, told["gap"], told["difference"], told.get("error", 0.0))


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


def _completeness(place: DeltaGenerator, gap: float, difference: float, error: float) -> None:
    share = abs(gap) / abs(difference) if difference else float("inf")
    good = share <= _GOOD_GAP
    by_chance = abs(gap) <= 2 * error
    verdict = "within 5 %" if good else "sampling noise" if by_chance else "more steps would help"
    drawn = f" Its standard error is {error:.2g}: draw more samples." if error else ""
    place.metric(
        "Completeness gap",
        f"{100 * share:.1f} %",
        verdict,
        delta_color="normal" if good else "off" if by_chance else "inverse",
        delta_arrow="off",
        help=f"The values should add up to {difference:.4g}, the score's difference from the "
        f"baseline; they miss it by {gap:.2g}.{drawn}",
    )


def _fit(place: DeltaGenerator, share: float) -> None:
    good = share >= _GOOD_FIT
    place.metric(
        "Fit (R²)",
        f"{share:.2f}",
        "follows the model" if good else "read with care",
        delta_color="normal" if good else "inverse",
        delta_arrow="off",
        help="How much of the score's movement over the masks a linear model of the regions "
        "follows; the values are its coefficients. Below 0.8 (our definition) they say little.",
    )


def _sampling_error(place: DeltaGenerator, attribution: Attribution) -> None:
    assert attribution.error is not None
    largest = float(np.abs(attribution.values).max())
    typical = float(np.sqrt(np.mean(np.square(attribution.error, dtype=np.float64))))
    samples = attribution.manifest["outcome"].get("samples")
    place.metric(
        "Sampling error",
        f"± {100 * typical / largest:.0f} %" if largest > 0 else "none",
        f"of the largest, {samples} samples",
        delta_color="off",
        delta_arrow="off",
        help="The standard error of the values (root mean square over the map), as a share of the "
        "largest: another seed would move them by about as much. More samples make it smaller, "
        "four times as many halve it. Our definition.",
    )


def percent_whole(share: float) -> str:
    """Say a share without decimals: "10 %"."""
    return f"{100 * share:.0f} %"


def _points(difference: float) -> str:
    return f"{round(100 * difference, 1) + 0.0:+.1f} points"
