"""Choosing model and image set."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from components.words import sentence
from dashboard.controls.sidebar import model_chooser, suited_sets
from dashboard.running import models, scoring
from dashboard.running.own_models import taken_by
from dashboard.state import restore
from engine.errors import HaloscopeError
from engine.inputs.image_sets import ImageSet
from engine.inputs.samples import sample_sets
from engine.models.loaded import LoadedModel

OWN = "own"


def choose() -> tuple[LoadedModel | None, ImageSet | None]:
    """Show both choosers; None for what cannot be used (the reason is shown)."""
    ref = model_chooser()
    try:
        with st.spinner("Loading the model …"):
            model = models.model(ref)
    except HaloscopeError as error:
        st.error(sentence(str(error)))
        return None, None
    return model, None if taken_by(model) == "tensors" else _set(ref)


def _set(ref: str) -> ImageSet | None:
    titles = {found.name: found.title for found in sample_sets()}
    options = [*suited_sets(ref), OWN]
    restore.valid("gallery-set", options)
    name = st.selectbox(
        "Pictures",
        options,
        format_func=lambda name: titles.get(name, "Your own folder or CSV"),
        key="gallery-set",
        persist_state="session",
    )
    if name != OWN:
        st.caption(next(found.summary for found in sample_sets() if found.name == name))
        return scoring.images(name, 0.0)
    return _own()


def _own() -> ImageSet | None:
    restore.aloud("set-path", "")
    path = st.text_input(
        "Folder or CSV file on this machine",
        key="set-path",
        persist_state="session",
        placeholder="/pictures/test",
        help="A folder that holds one folder for each class, or a CSV with the columns path, "
        "label and mask (label and mask may be missing).",
    ).strip()
    if not path:
        return None
    place = Path(path).expanduser()
    try:
        found = scoring.images(str(place), place.stat().st_mtime if place.exists() else 0.0)
    except HaloscopeError as error:
        st.error(sentence(str(error)))
        return None
    st.caption(f"{len(found)} pictures, {len(found.classes)} classes")
    if found.skipped:
        with st.expander(f"{len(found.skipped)} files left out"):
            st.table({left.name: left.reason for left in found.skipped[:200]}, border="horizontal")
    return found
