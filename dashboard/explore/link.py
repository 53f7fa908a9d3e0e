"""A button that copies the page's address."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import streamlit as st


@cache
def _component() -> Any:
    home = files("dashboard").joinpath("explore/copy_link")
    return st.components.v2.component(
        "haloscope_copy_link",
        html=home.joinpath("button.html").read_text("utf-8"),
        css=home.joinpath("button.css").read_text("utf-8"),
        js=home.joinpath("button.js").read_text("utf-8"),
    )


def button() -> None:
    """Show it. The address always holds the present view, so it is all there is to copy."""
    _component()(key="copy-link", width="content", height="content")
