"""Taking a result away: picture, data, manifest."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import streamlit as st
from PIL import Image

from components import export
from components.views import View
from engine.results import Attribution


def menu(attribution: Attribution, view: View, photo: Image.Image, opacity: float) -> None:
    """Show the downloads; files are made when they are asked for."""
    name = file_name(attribution)
    with st.popover("Export", icon=":material/download:"):
        st.download_button(
            "Picture (PNG)",
            lambda: export.png(export.sheet(attribution, view, photo, opacity)),
            f"{name}.png",
            "image/png",
            key="download-png",
            on_click="ignore",
            icon=":material/image:",
            width="stretch",
        )
        st.download_button(
            "Data (safetensors)",
            lambda: _file_of(attribution),
            f"{name}.safetensors",
            "application/octet-stream",
            key="download-data",
            on_click="ignore",
            icon=":material/dataset:",
            width="stretch",
            help="The values as float32 with their manifest; engine.load_result reads it back.",
        )
        st.download_button(
            "Manifest (JSON)",
            lambda: json.dumps(attribution.manifest, indent=2, sort_keys=True),
            f"{name}.json",
            "application/json",
            key="download-manifest",
            on_click="ignore",
            icon=":material/receipt_long:",
            width="stretch",
            help="All that decided the numbers, and what happened.",
        )


def file_name(attribution: Attribution) -> str:
    """Return a name for the files: "grad-cam-tiger-cat-1a2b3c4d"."""
    request = attribution.manifest["request"]
    words = f"{request['method']['name']} {request['target']['name']} {attribution.key[:8]}"
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def _file_of(attribution: Attribution) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return attribution.save(Path(folder) / "result.safetensors").read_bytes()
