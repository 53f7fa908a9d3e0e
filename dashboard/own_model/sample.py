"""What a model is tried on: a picture at hand, or the user's own."""

from __future__ import annotations

import streamlit as st

from components.words import plain, sentence
from dashboard.state import restore
from engine.errors import HaloscopeError
from engine.inputs.decoding import EXTENSIONS
from engine.inputs.image_sets import ImageSet
from engine.inputs.images import ImageInput, load_image
from engine.inputs.samples import load_sample_set, sample_sets
from engine.inspection.suited import suited_sample, suited_sets
from engine.models.loaded import LoadedModel, ModelInput
from engine.models.specs import ImageSpec
from engine.models.table_specs import TableSpec

OWN = "own"
_SET, _PICTURE, _PHOTO = "own.set", "own.picture", "own-photo"


def choose(model: LoadedModel) -> tuple[ModelInput | None, bool]:
    """Show the choosers.

    Returns:
        The sample (None: noise), and whether there is one to be tried.
    """
    if isinstance(model.spec, ImageSpec):
        picture = _picture(model)
        return picture, picture is not None
    if isinstance(model.spec, TableSpec):
        st.caption(
            "On a made-up row: each number one standard deviation above its mean, each category "
            "the second commonest."
        )
    else:
        st.caption("On noise: this network takes tensors, and no picture at hand is one.")
    return suited_sample(model), True


def _picture(model: LoadedModel) -> ImageInput | None:
    sets = suited_sets(model)
    titles = {found.name: found.title for found in sample_sets()} | {OWN: "Your own picture"}
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    if st.session_state.get("own-set-for") != sets:  # another model, other pictures
        st.session_state["own-set-for"] = sets
        if st.session_state.get(_SET) != OWN:
            st.session_state[_SET] = sets[0]
    restore.aloud(_SET, sets[0])
    with left:
        chosen = st.selectbox(
            "Sample",
            [*sets, OWN],
            format_func=titles.__getitem__,
            key=_SET,
            persist_state="session",
        )
    with right:
        return _uploaded() if chosen == OWN else _at_hand(load_sample_set(chosen))


def _at_hand(images: ImageSet) -> ImageInput:
    titles = [entry.title for entry in images.entries]
    restore.aloud(f"{_PICTURE}-{images.name}", 0)
    place = st.selectbox(
        "Picture",
        range(len(titles)),
        format_func=lambda index: f"{titles[index]}",
        key=f"{_PICTURE}-{images.name}",
        persist_state="session",
        label_visibility="collapsed",
    )
    return images[int(place or 0)]


def _uploaded() -> ImageInput | None:
    st.file_uploader(
        "Your picture",
        type=list(EXTENSIONS),
        key="own-picture-file",
        on_change=_take,
        label_visibility="collapsed",
        help="Stays in this session; nothing is stored.",
    )
    problem = st.session_state.get(f"{_PHOTO}-problem")
    if problem:
        st.error(sentence(problem))
    picture: ImageInput | None = st.session_state.get(_PHOTO)
    if picture is not None:
        st.caption(f"{plain(picture.name)}, {picture.size[0]} × {picture.size[1]}")
    return picture


def _take() -> None:
    """Read a picture once; the last good one stays if it cannot be read."""
    file = st.session_state.get("own-picture-file")
    st.session_state[f"{_PHOTO}-problem"] = ""
    if file is None:
        return
    try:
        st.session_state[_PHOTO] = load_image(file.getvalue(), name=file.name)
    except HaloscopeError as error:
        st.session_state[f"{_PHOTO}-problem"] = str(error)
