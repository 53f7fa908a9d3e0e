"""The card "Predictions": bars; a click explains that class."""

from __future__ import annotations

import streamlit as st

from components import predictions
from engine.results import Prediction

_SHOWN = 5


def card(prediction: Prediction, explained: int | None) -> None:
    """Show what the model says.

    Args:
        prediction: of the picture.
        explained: index of the class whose map is shown; it is added if it is not among
            the first five.
    """
    rows = prediction.top(_SHOWN)
    if explained is not None and explained not in [index for index, _, _ in rows]:
        share = float(prediction.probabilities[explained])
        rows = [*rows[: _SHOWN - 1], (explained, prediction.classes[explained], share)]
    with st.container(border=True, key="predictions", height="stretch"):
        st.markdown("**Predictions** :gray[:small[click a bar to explain that class]]")
        told = ", ".join(f"{name} {predictions.percent(share)}" for _, name, share in rows)
        st.plotly_chart(
            predictions.figure(rows, explained),
            key="bars",
            on_select=_pick,
            selection_mode="points",
            config={"displayModeBar": False},
            alt=f"Predictions: {told}.",
        )


def _pick() -> None:
    """Explain the class of the bar that was clicked."""
    points = st.session_state["bars"]["selection"]["points"]
    if points:
        st.session_state["target"] = str(points[0]["customdata"][0])
        if st.session_state.get("versus") == st.session_state["target"]:
            st.session_state["versus"] = ""
        st.session_state["run"] = True
