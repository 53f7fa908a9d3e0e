"""Which classes pay for what went."""

from __future__ import annotations

import streamlit as st

from components import prune_classes, prune_words
from components.words import plain
from dashboard.prune.looked import Looked, chart


def show(looked: Looked) -> None:
    """Draw right answers of each class before and after."""
    found, way, ratio = looked.found, looked.way, looked.ratio
    with st.container(border=True, key="card-pr-classes"):
        st.markdown("**Class by class** :gray[:small[those that lose most on top]]")
        chart(
            prune_classes.figure(found, way, ratio), "classes",
            prune_classes.alt(found, way, ratio),
        )  # fmt: skip
        st.markdown(plain(prune_words.classes_sentence(found, way, ratio)))
        if not found.labelled:
            st.caption("Without labels: the classes are those that the whole network names.")
