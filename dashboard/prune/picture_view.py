"""One picture before and after."""

from __future__ import annotations

import streamlit as st

from dashboard.prune.looked import Looked


def show(looked: Looked) -> None:
    """Draw it."""
    st.caption("…")
