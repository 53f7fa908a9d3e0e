"""Accuracy, calibration and confusion of a test."""

from __future__ import annotations

import numpy as np
import streamlit as st

from components import calibration, confusion
from engine.scores import Scores


def headline(scores: Scores, left_out: int) -> None:
    """Show the figures that answer the page's question."""
    accuracy = scores.accuracy()
    skipped = left_out + len(scores.manifest["outcome"]["skipped"])
    with st.container(horizontal=True, gap="large", key="figures"):
        if accuracy.count:
            st.metric(
                "Named right",
                f"{100 * accuracy.value:.1f} %",
                f"{100 * accuracy.low:.1f} to {100 * accuracy.high:.1f} %",
                delta_color="off",
                delta_arrow="off",
                help="Share of the labelled pictures, with its 95 % Wilson interval.",
                width="content",
            )
            st.metric(
                "Calibration error",
                f"{100 * scores.calibration().error:.1f} points",
                help="How far confidence and accuracy lie apart, on average over 15 bins of "
                "confidence (Guo et al. 2017). Below: the model is "
                f"{100 * float(scores.confidence[scores.labelled].mean()):.1f} % sure on average.",
                width="content",
            )
        st.metric("Pictures", f"{len(scores.labels)}", _labels_told(scores), delta_color="off",
                  delta_arrow="off", width="content")  # fmt: skip
        if skipped:
            st.metric("Left out", f"{skipped}", width="content")
    if scores.manifest["outcome"]["skipped"]:
        with st.expander("Pictures that could not be read"):
            st.table(dict(scores.manifest["outcome"]["skipped"][:200]), border="horizontal")


def _labels_told(scores: Scores) -> str | None:
    unknown = int((~scores.labelled).sum())
    if unknown == len(scores.labels):
        return "without labels"
    return f"{unknown} without a known label" if unknown else None


def charts(scores: Scores, most: int) -> None:
    """Show confusion and calibration.

    Args:
        most: with more classes than this, only those that occur are shown, at most so many.
    """
    left, right = st.columns([3, 2])
    with left, st.container(border=True, height="stretch"):
        st.markdown("**Mixed up** :gray[:small[true class in rows, answer in columns]]")
        table, names = _shown(scores, most)
        st.plotly_chart(
            confusion.figure(table, names), config={"displayModeBar": False}, key="confusion",
            alt=f"Confusion matrix; {int(np.trace(table))} of {int(table.sum())} right.",
        )  # fmt: skip
    with right, st.container(border=True, height="stretch"):
        st.markdown("**Does it know?** :gray[:small[on the line: as sure as it is right]]")
        found = scores.calibration()
        st.plotly_chart(
            calibration.figure(found), config={"displayModeBar": False}, key="calibration",
            alt=f"Reliability diagram; calibration error {100 * found.error:.1f} points.",
        )  # fmt: skip


def _shown(scores: Scores, most: int) -> tuple[np.ndarray, list[str]]:
    table, names = scores.confusion(), scores.manifest["source"]["classes"]
    if len(names) > most:
        busy = np.argsort(-(table.sum(axis=0) + table.sum(axis=1)), kind="stable")[:most]
        busy = np.sort(busy[(table.sum(axis=0) + table.sum(axis=1))[busy] > 0])
        return table[np.ix_(busy, busy)], [names[i] for i in busy]
    return table, list(names)
