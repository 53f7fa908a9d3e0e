"""Taking scores and pictures of heads away."""

from __future__ import annotations

import csv
import io
import json
import re

import numpy as np
import streamlit as st

from components import head_mosaic
from components.export import png
from dashboard.explore import link as copy_link
from dashboard.heads.choosing import Side
from dashboard.heads.looking import own_off
from dashboard.heads.marks import Marks
from dashboard.running import heads as running
from engine.head_results import HeadScores


def menu(side: Side, found: HeadScores, now: Marks) -> None:
    """Show the downloads; files are made when they are asked for."""
    name = file_name(found)
    with st.container(horizontal=True, key="tools", width="content"):
        with st.popover("Export", icon=":material/download:"):
            _button("Scores (CSV)", "csv", lambda: as_csv(found), name, "text/csv", "table")
            _button(
                "Scores (safetensors)", "safetensors", found.encoded, name,
                "application/octet-stream", "dataset",
            )  # fmt: skip
            if side.found is not None and not side.found.unplaced:
                _button(
                    "Mosaic (PNG)", "png", lambda: mosaic(side, now), f"{name}-mosaic",
                    "image/png", "image",
                )  # fmt: skip
            _button(
                "Manifest (JSON)", "json",
                lambda: json.dumps(found.manifest, indent=2, sort_keys=True), name,
                "application/json", "receipt_long",
            )  # fmt: skip
        copy_link.button()


def _button(title: str, kind: str, make: object, name: str, mime: str, icon: str) -> None:
    st.download_button(
        title,
        make,  # type: ignore[arg-type]
        f"{name}.{kind}",
        mime,
        key=f"heads-download-{kind}",
        on_click="ignore",
        icon=f":material/{icon}:",
        width="stretch",
    )


def file_name(found: HeadScores) -> str:
    """Return a name for the files: "heads-gradient-scenes-vit-1a2b3c4d"."""
    source = found.manifest["source"]
    words = f"heads {source['metric']} {source['model_title']} {found.key[:8]}"
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def as_csv(found: HeadScores) -> str:
    """Return one line for each head, counted from 1: its score, standard error and rank."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["layer", "head", "score", "standard error", "rank"])
    rank = {place: index + 1 for index, place in enumerate(found.ranking)}
    for layer, head in np.argwhere(np.isfinite(found.values)).tolist():
        error = "" if found.error is None else f"{float(found.error[layer, head]):.9g}"
        value = f"{float(found.values[layer, head]):.9g}"
        writer.writerow([layer + 1, head + 1, value, error, rank[layer, head]])
    return out.getvalue()


def mosaic(side: Side, now: Marks) -> bytes:
    """Return the picture of all heads as a PNG file."""
    assert side.model is not None and side.picture is not None
    maps = running.maps(side.model, side.picture, own_off(side, now))
    return png(head_mosaic.picture(maps, now.place))
