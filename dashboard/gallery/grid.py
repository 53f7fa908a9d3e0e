"""Thumbnails with what the model says; a click opens one in "Explore"."""

from __future__ import annotations

import io

import numpy as np
import streamlit as st

from components.thumbnails import Answer, thumbnail
from components.words import plain
from dashboard.gallery.choosing import OWN
from engine.errors import InputError
from engine.inputs.image_sets import ImageSet
from engine.inputs.samples import SAMPLE
from engine.models.loaded import LoadedModel
from engine.scores import Scores

PER_PAGE = 30
_SIDE = 112
_FILTERS = {"all": "All", "right": "Right", "wrong": "Wrong"}


def show(model: LoadedModel, images: ImageSet, scores: Scores) -> None:
    """Show filters and one page of thumbnails."""
    names = scores.manifest["source"]["pictures"]
    chosen = _filtered(scores)
    if not len(chosen):
        st.info("No picture of that kind.", icon=":material/check_circle:")
        return
    pages = -(-len(chosen) // PER_PAGE)
    page = 1
    if pages > 1:
        page = st.pagination(pages, key=f"gallery-page-{pages}")
    with st.container(horizontal=True, gap="small", key="thumbnails"):
        for index in chosen[(page - 1) * PER_PAGE : page * PER_PAGE]:
            _one(model, images, scores, int(index), names[index])


def _filtered(scores: Scores) -> np.ndarray:
    """Show the filters; return the indices of the pictures to show, in order."""
    classes = scores.manifest["source"]["classes"]
    labelled = scores.labelled.any()
    with st.container(horizontal=True, vertical_alignment="bottom", key="filters"):
        kind = "all"
        if labelled:
            kind = st.segmented_control(
                "Show", list(_FILTERS), format_func=_FILTERS.__getitem__, default="all",
                key="gallery-show", required=True,
            )  # fmt: skip
        present = sorted(set(scores.labels[scores.labelled].tolist()))
        wanted = None
        if len(present) > 1:
            wanted = st.selectbox(
                "True class", [None, *present],
                format_func=lambda i: "any" if i is None else classes[i],
                key="gallery-class", width=200,
            )  # fmt: skip
        order = st.selectbox("Order", ["As in the set", "Least sure first"], width=200)
    keep = np.ones(len(scores.labels), dtype=bool)
    if kind != "all":
        keep &= scores.labelled & (scores.right == (kind == "right"))
    if wanted is not None:
        keep &= scores.labels == wanted
    found = np.flatnonzero(keep)
    return found[np.argsort(scores.confidence[found])] if order == "Least sure first" else found


def _one(model: LoadedModel, images: ImageSet, scores: Scores, index: int, name: str) -> None:
    classes = scores.manifest["source"]["classes"]
    said = classes[scores.predicted[index]]
    answer: Answer = (
        "unknown" if scores.labels[index] < 0 else "right" if scores.right[index] else "wrong"
    )
    told = said if answer != "wrong" else f"{said}, not {classes[scores.labels[index]]}"
    mark = {"right": "✓ ", "wrong": "✗ ", "unknown": ""}[answer]
    with st.container(width=_SIDE, gap=None):
        try:
            st.image(
                _file(model.spec, images, scores.key, name, answer),
                width=_SIDE,
                alt=f"{name}: {mark}{told}",
            )
        except InputError as error:
            st.caption(plain(str(error)))
            return
        st.button(
            f"{mark}{plain(told)}",
            key=f"open-{name}",
            type="tertiary",
            on_click=_open,
            args=(images, name),
            help=f"{plain(name)}: {100 * scores.confidence[index]:.0f} % sure. "
            "Click to explain it.",
            width="stretch",
        )


@st.cache_data(max_entries=2000, show_spinner=False)
def _file(_spec: object, _images: ImageSet, key: str, name: str, answer: Answer) -> bytes:
    """Return a thumbnail of what the model sees as a PNG file."""
    index = _images.find(name)
    assert index is not None
    buffer = io.BytesIO()
    seen = _spec.fitted(_images[index])  # type: ignore[attr-defined]
    thumbnail(seen, answer).save(buffer, "PNG")
    return buffer.getvalue()


def _open(images: ImageSet, name: str) -> None:
    """Take a picture over to "Explore" and explain it there."""
    state = st.session_state
    index = images.find(name)
    assert index is not None
    if state.get("gallery-set") == OWN:
        state["source"] = "Upload"
        state["uploaded"] = images[index]
    else:
        state["source"] = "Sample"
        state["sample"] = images[index].origin.removeprefix(SAMPLE)
    state["target"] = state["versus"] = ""
    state["run"] = True
    state["go-to-explore"] = True
