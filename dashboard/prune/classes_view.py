"""Which classes pay for what went, and whether the network still knows how sure it may be."""

from __future__ import annotations

import streamlit as st

from components import calibration, prune_classes, prune_names, prune_words, saying
from components.words import plain
from dashboard.prune.looked import Looked, chart
from engine.pruning.measuring.calibration import CalibrationError, expected_calibration_error


def show(looked: Looked) -> None:
    """Draw right answers of each class before and after, and confidence against accuracy."""
    left, right = st.columns([6, 5])
    with left, st.container(border=True, key="card-pr-classes"):
        _classes(looked)
    with right, st.container(border=True, key="card-pr-knows"):
        _knows(looked)


def _classes(looked: Looked) -> None:
    found, way, ratio = looked.found, looked.way, looked.ratio
    st.markdown("**Class by class** :gray[:small[those that lose most on top]]")
    chart(prune_classes.figure(found, way, ratio), "classes", prune_classes.alt(found, way, ratio))
    st.markdown(plain(prune_words.classes_sentence(found, way, ratio)))
    if not found.labelled:
        st.caption("Without labels: the classes are those that the untouched network names.")


def _knows(looked: Looked) -> None:
    """Draw a reliability diagram, and tell the calibration error with its interval."""
    now, before = errors(looked)
    st.markdown(f"**Does it know?** :gray[:small[on the line: as sure as it is {_how(looked)}]]")
    chart(
        calibration.figure(now.bins), "knows",
        f"Reliability diagram of the pruned network; {told(now)}.",
    )  # fmt: skip
    labelled = looked.found.labelled
    what = saying.begun(prune_names.value_title(looked.found, "ece"))
    st.markdown(f"{what} {told(now)}; of the untouched network {told(before)}.")
    told_of = "of right answers" if labelled else "of answers like the untouched network's"
    st.caption(
        f"How far confidence lies from the share {told_of}, on average over 15 bins; in brackets a "
        f"95 % interval. A network that knew perfectly how sure it may be would show "
        f"{100 * now.unavoidable:.1f} % on {now.count} pictures."
    )


def _how(looked: Looked) -> str:
    return "right" if looked.found.labelled else "like the untouched network"


def errors(looked: Looked) -> tuple[CalibrationError, CalibrationError]:
    """Return the calibration errors of the pruned network, and of the whole one."""
    found, way, ratio = looked.found, looked.way, looked.ratio
    own = found.confidence[way, ratio][found.judged], found.right(way, ratio)
    dense = found.dense_confidence[found.judged], found.dense_right
    return expected_calibration_error(*own), expected_calibration_error(*dense)


def told(error: CalibrationError) -> str:
    """Say an error with its interval: "5.6 % (2.1 – 8.0)"."""
    low, high = 100 * max(0.0, error.low), 100 * max(0.0, error.high)
    return f"{100 * error.value:.1f} % ({low:.1f} – {high:.1f})"
