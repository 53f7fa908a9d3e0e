"""How far to trust the contributions: completeness and sampling error."""

from __future__ import annotations

import numpy as np
import streamlit as st

from components.saying import signed
from engine.results import Attribution

_GOOD_GAP = 0.05
_GOOD_FIT = 0.8
_NOTHING = 1e-6


def card(attribution: Attribution) -> None:
    """Show the checks."""
    outcome = attribution.manifest["outcome"]
    with st.container(border=True, height="stretch", key="card-trust"):
        st.markdown("**How far to trust it**")
        told = outcome.get("completeness")
        if told is None:
            st.caption(
                "This method does not share the prediction out, so its values add up to nothing."
            )
        else:
            # A fitted line begins at a base of its own: what it leaves over is its residual.
            left = told.get("residual", -told["gap"])
            points = _in_points(attribution)
            _completeness(left, told["difference"], told.get("error", 0.0), points)
        if "fit" in outcome:
            _fit(outcome["fit"])
        if attribution.error is not None:
            _sampling(attribution)


def _completeness(gap: float, difference: float, error: float, points: bool) -> None:
    share = abs(gap) / abs(difference) if difference else float("inf")
    good = share <= _GOOD_GAP or abs(gap) < _NOTHING
    by_chance = abs(gap) <= 2 * error
    verdict = "they add up" if good else "sampling noise" if by_chance else "they do not add up"
    st.metric(
        "Not shared out",
        _told(gap, points) if abs(gap) >= _NOTHING else "nothing",
        verdict,
        delta_color="normal" if good else "off" if by_chance else "inverse",
        delta_arrow="off",
        help=f"The values should add up to {_told(difference, points)}, the way from the base "
        "value to the prediction; this is what is left over.",
    )


def _in_points(attribution: Attribution) -> bool:
    manifest = attribution.manifest
    return bool(
        manifest["request"]["output"] == "probability"
        and manifest["display"]["task"] == "classification"
    )


def _told(value: float, points: bool) -> str:
    """Say a difference; of probabilities in points."""
    return f"{signed(100 * value)} points" if points else signed(value)


def _fit(share: float) -> None:
    good = share >= _GOOD_FIT
    st.metric(
        "Fit (R²)",
        f"{share:.2f}",
        "follows the model" if good else "read with care",
        delta_color="normal" if good else "inverse",
        delta_arrow="off",
        help="How much of the model's movement near this row a straight line follows; the values "
        "are its slopes. Below 0.8 (our definition) they say little.",
    )


def _sampling(attribution: Attribution) -> None:
    assert attribution.error is not None
    largest = float(np.abs(attribution.values).max())
    typical = float(np.sqrt(np.mean(np.square(attribution.error, dtype=np.float64))))
    st.metric(
        "Sampling error",
        f"± {100 * typical / largest:.1f} %" if largest > 0 else "none",
        "of the largest value",
        delta_color="off",
        delta_arrow="off",
        help="The standard error of the values (root mean square over the columns), as a share of "
        "the largest: another seed would move them by about as much. Our definition.",
    )
