"""Taking a result away: figure, table, data, manifest."""

from __future__ import annotations

import csv
import io
import json
import re

import streamlit as st

from dashboard.tables.drawing import contributions
from engine.results import Attribution, Result


def menu(attribution: Attribution) -> None:
    """Show the downloads of a row's explanation; files are made when they are asked for."""
    name = file_name(attribution)
    with st.popover("Export", icon=":material/download:"):
        button("Figure (HTML)", "html", lambda: _html(attribution), name, "text/html", "image")
        button("Contributions (CSV)", "csv", lambda: as_csv(attribution), name, "text/csv", "table")
        data(attribution, name)


def data(result: Result, name: str, key: str = "") -> None:
    """Show the downloads that every result has."""
    button(
        "Data (safetensors)", "safetensors", result.encoded, name, "application/octet-stream",
        "dataset", key,
    )  # fmt: skip
    button(
        "Manifest (JSON)", "json",
        lambda: json.dumps(result.manifest, indent=2, sort_keys=True), name, "application/json",
        "receipt_long", key,
    )  # fmt: skip


def button(
    title: str, kind: str, make: object, name: str, mime: str, icon: str, key: str = ""
) -> None:
    """Show a download; the file is made by calling ``make`` when it is asked for."""
    st.download_button(
        title,
        make,  # type: ignore[arg-type]
        f"{name}.{kind}",
        mime,
        key=f"t-download-{key}{kind}",
        on_click="ignore",
        icon=f":material/{icon}:",
        width="stretch",
    )


def file_name(attribution: Attribution) -> str:
    """Return a name for the files: "integrated-gradients-row-7-of-cancer-1a2b3c4d"."""
    manifest = attribution.manifest
    words = f"{manifest['request']['method']['name']} {manifest['source']['input']}"
    return re.sub(r"[^a-z0-9]+", "-", f"{words} {attribution.key[:8]}".lower()).strip("-")


def as_csv(attribution: Attribution) -> str:
    """Return one line for each column: its value in the row, what it adds, standard error."""
    display, source = attribution.manifest["display"], attribution.manifest["source"]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["column", "value", "contribution", "standard error"])
    row = source.get("row", {})
    for place, name in enumerate(display["columns"]):
        error = "" if attribution.error is None else f"{float(attribution.error[place]):.9g}"
        value = f"{float(attribution.values[place]):.9g}"
        writer.writerow([name, row.get(name, ""), value, error])
    return out.getvalue()


def _html(attribution: Attribution) -> str:
    figure, _ = contributions(attribution)
    return str(figure.to_html(include_plotlyjs=True))
