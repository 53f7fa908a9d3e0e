"""Taking the sweep away."""

from __future__ import annotations

import csv
import io
import re

import streamlit as st

from components import prune_curve
from dashboard.explore import link as copy_link
from dashboard.prune.looked import Looked
from dashboard.tables import export
from engine.prune_results import PruneSweep

_KEY = "prune-"
_HEADER = (
    "criterion", "drawing", "scope", "repair", "ratio", "units gone", "parameters", "MACs",
    "accuracy", "low", "high", "confidence", "calibration error", "agreement",
)  # fmt: skip


def menu(looked: Looked) -> None:
    """Show the downloads and the link; files are made when they are asked for."""
    found, name = looked.found, file_name(looked.found)
    with st.container(horizontal=True, horizontal_alignment="right", key="tools"):
        with st.popover("Export", icon=":material/download:"):
            export.button("Sweep (CSV)", "csv", lambda: as_csv(found), name, "text/csv", "table",
                          _KEY)  # fmt: skip
            export.button(
                "Curve (HTML)", "html",
                lambda: str(
                    prune_curve.figure(found, looked.way, looked.ratio).to_html(
                        include_plotlyjs=True
                    )
                ),
                name, "text/html", "image", _KEY,
            )  # fmt: skip
            export.data(found, name, _KEY)
        copy_link.button()


def file_name(found: PruneSweep) -> str:
    """Return a name for the files: "prune-small-cnn-1a2b3c4d"."""
    words = f"prune {found.manifest['source']['model_title']} {found.key[:8]}"
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")


def as_csv(found: PruneSweep) -> str:
    """Return one line for each way and ratio."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_HEADER)
    for way, own in enumerate(found.ways):
        for ratio, share in enumerate(found.ratios):
            right = found.accuracy(way, ratio)
            numbers = (
                right.value, right.low, right.high, found.certainty(way, ratio).value,
                found.calibration(way, ratio).error, found.agreement(way, ratio).value,
            )  # fmt: skip
            writer.writerow(
                [
                    own.criterion, own.draw, own.scope, own.repair, f"{share:g}",
                    int((~found.kept[way, ratio]).sum()), int(found.parameters[way, ratio]),
                    int(found.macs[way, ratio]), *(f"{one:.9g}" for one in numbers),
                ]
            )  # fmt: skip
    return out.getvalue()
