"""Choosing a picture: one at hand, or the user's own."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from components.words import plain, sentence
from dashboard.state import restore
from engine.errors import HaloscopeError
from engine.inputs.decoding import EXTENSIONS
from engine.inputs.images import FITS, Fit, ImageInput, load_image
from engine.inputs.samples import SAMPLE, load_sample, load_sample_set, sample_sets

Pictures = dict[str, tuple[str, str]]
_UPLOADED = "uploaded"
_DIGEST_SHOWN = 12
_FIT_TITLES = {"crop": "Crop", "letterbox": "Letterbox"}


def choose(sets: Sequence[str], prefix: str = "") -> ImageInput | None:
    """Show the chooser; None while there is no picture to show.

    Args:
        sets: names of the sets at hand that suit the model, best first.
        prefix: of the widgets' keys, so that each page keeps its own choices.
    """
    restore.aloud(f"{prefix}source", "Sample")
    source = st.segmented_control(
        "Input",
        ["Sample", "Upload"],
        key=f"{prefix}source",
        persist_state="session",
        required=True,
        width="stretch",
    )
    picture = _upload(prefix) if source == "Upload" else _sample(sets, prefix)
    if picture is None:
        return None
    for note in picture.notes:
        st.caption(f"{note[0].upper()}{note[1:]}.")
    width, height = picture.size
    return picture if width == height else picture.with_fit(_fit(prefix))


def _sample(sets: Sequence[str], prefix: str) -> ImageInput | None:
    pictures = _pictures(tuple(sets))
    restore.valid(f"{prefix}sample", list(pictures))
    restore.aloud(f"{prefix}sample", next(iter(pictures)))
    chosen = _set(sets, pictures, prefix)
    inside = [name for name, (home, _) in pictures.items() if home == chosen]
    name = st.selectbox(
        "Picture",
        inside,
        format_func=lambda name: pictures[name][1],
        key=f"{prefix}sample",
        label_visibility="collapsed",
        persist_state="session",
    )
    try:
        return _cached_sample(name)
    except HaloscopeError as error:
        st.error(sentence(str(error)))
        return None


def _set(sets: Sequence[str], pictures: Pictures, prefix: str) -> str:
    """Show the chooser of sets, if there are several; the picture chosen says which it is."""
    home = pictures[st.session_state[f"{prefix}sample"]][0]
    if len(sets) == 1:
        return home
    titles = {found.name: found.title for found in sample_sets()}

    def take_first() -> None:
        chosen = st.session_state[f"{prefix}set"]
        first = next(name for name, (home, _) in pictures.items() if home == chosen)
        st.session_state[f"{prefix}sample"] = first

    st.session_state[f"{prefix}set"] = home
    return st.selectbox(
        "Set",
        sets,
        format_func=titles.__getitem__,
        key=f"{prefix}set",
        on_change=take_first,
        label_visibility="collapsed",
    )


def home(sets: Sequence[str], prefix: str = "") -> str:
    """Return the set that the chosen sample is of, the first where there is none."""
    chosen = _pictures(tuple(sets)).get(st.session_state.get(f"{prefix}sample", ""))
    return sets[0] if chosen is None else chosen[0]


def another(sets: Sequence[str], prefix: str = "") -> str:
    """Return the name of a sample well away from the chosen one, to set beside it."""
    names = list(_pictures(tuple(sets)))
    chosen = st.session_state.get(f"{prefix}sample", "")
    place = names.index(chosen) if chosen in names else 0
    return names[(place + len(names) // 2) % len(names)]


@st.cache_data(max_entries=8, show_spinner=False)
def _pictures(sets: tuple[str, ...]) -> Pictures:
    """Return the pictures of some sets by name: (set, title)."""
    found: Pictures = {}
    for name in sets:
        images = load_sample_set(name)
        for entry in images.entries:
            full = f"{images.prefix}{entry.name}".removeprefix(SAMPLE)
            found[full] = (name, entry.title)
    return found


@st.cache_resource(max_entries=16, show_spinner=False)
def _cached_sample(name: str) -> ImageInput:
    return load_sample(name)


def _upload(prefix: str) -> ImageInput | None:
    st.file_uploader(
        "Your picture",
        type=list(EXTENSIONS),
        key=f"{prefix}upload",
        on_change=_take,
        args=(prefix,),
        label_visibility="collapsed",
        help="Stays in this session; nothing is stored.",
    )
    error = st.session_state.get(f"{prefix}upload-error")
    if error:
        st.error(sentence(error))
    picture: ImageInput | None = st.session_state.get(f"{prefix}{_UPLOADED}")
    restore.tell_wanted(restore.wanted_file(prefix), None if picture is None else picture.digest)
    if picture is None and not error:
        st.caption("PNG, JPEG, WebP, BMP, TIFF or GIF. It stays in this session.")
    elif picture is not None:
        st.caption(f"{plain(picture.name)}, {picture.size[0]} × {picture.size[1]}")
    return picture


def _take(prefix: str) -> None:
    """Read an upload once; the last good one stays if it cannot be read."""
    file = st.session_state.get(f"{prefix}upload")
    st.session_state[f"{prefix}upload-error"] = None
    if file is None:
        st.session_state.pop(f"{prefix}{_UPLOADED}", None)
        return
    try:
        st.session_state[f"{prefix}{_UPLOADED}"] = load_image(file.getvalue(), name=file.name)
        st.session_state[f"{prefix}run"] = True
    except HaloscopeError as error:
        st.session_state[f"{prefix}upload-error"] = str(error)


def _fit(prefix: str) -> Fit:
    restore.valid(f"{prefix}fit", list(FITS))
    restore.aloud(f"{prefix}fit", "crop")
    chosen = st.segmented_control(
        "Fit",
        list(FITS),
        format_func=_FIT_TITLES.__getitem__,
        key=f"{prefix}fit",
        persist_state="session",
        required=True,
        width="stretch",
        help="Crop: the centre, as the network was trained. Letterbox: all of it, with margins.",
    )
    return chosen or "crop"


def chosen_in_link(picture: ImageInput | None, prefix: str = "") -> dict[str, str]:
    """Return what a link says of the picture: the sample's name, or the file's name and digest."""
    fit = {"fit": picture.fit} if picture is not None else {}
    if st.session_state.get(f"{prefix}source") == "Upload":
        if picture is None:
            file, digest = restore.wanted_file(prefix) or ("", "")
            return {"file": file, "digest": digest}
        return {"file": picture.name, "digest": picture.digest[:_DIGEST_SHOWN], **fit}
    return {"sample": st.session_state.get(f"{prefix}sample") or "", **fit}
