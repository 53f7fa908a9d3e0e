"""Taking a mask and what came of it away."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import streamlit as st
from PIL import Image

from dashboard.explore import link as copy_link
from dashboard.masks import result
from engine.mask_results import MaskPreview


def menu(found: MaskPreview, photo: Image.Image) -> None:
    """Show the downloads and the link; files are made when they are asked for."""
    name = file_name(found)
    with st.container(horizontal=True, horizontal_alignment="right", key="m-export"):
        with st.popover("Export", icon=":material/download:"):
            _button(
                "Result (safetensors)", f"{name}.safetensors", found.encoded,
                "application/octet-stream", "dataset",
            )  # fmt: skip
            _button(
                "Mask (PNG)", f"{name}-mask.png", lambda: result.mask_png(found), "image/png",
                "texture",
            )  # fmt: skip
            _button(
                "Masked picture (PNG)", f"{name}-masked.png",
                lambda: result.masked_png(found, photo), "image/png", "image",
            )  # fmt: skip
            _button(
                "Manifest (JSON)", f"{name}.json",
                lambda: json.dumps(found.manifest, indent=2, sort_keys=True), "application/json",
                "receipt_long",
            )  # fmt: skip
        copy_link.button()


def _button(title: str, file: str, make: Callable[[], bytes | str], mime: str, icon: str) -> None:
    st.download_button(
        title, make, file, mime, key=f"m-download-{icon}", on_click="ignore",
        icon=f":material/{icon}:", width="stretch",
    )  # fmt: skip


def file_name(found: MaskPreview) -> str:
    """Return a name for the files: "mask-uniform-scenes-resnet-1a2b3c4d"."""
    request = found.manifest["request"]
    title = found.manifest["source"]["model_title"]
    words = f"mask {request['generator']['name']} {title} {found.key[:8]}"
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")
