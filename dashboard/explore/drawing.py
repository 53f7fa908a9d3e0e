"""Pictures of the page, drawn once and kept as small files."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import streamlit as st
from PIL import Image

from components import pictures
from components.views import View
from engine.inputs.images import ImageInput
from engine.models.loaded import LoadedModel
from engine.models.specs import ImageSpec

_SHOWN_SIDE = 560
_JPEG = {"format": "JPEG", "quality": 86}


@st.cache_resource(max_entries=32, show_spinner=False)
def photo(key: str, _model: LoadedModel, _picture: ImageInput) -> Image.Image:
    """Return what the network sees of a picture, in a resolution made for people.

    Args:
        key: of model, picture and fit together.
    """
    spec = _model.spec
    assert isinstance(spec, ImageSpec)
    factor = max(1, round(_SHOWN_SIDE / max(spec.height, spec.width)))
    large = replace(
        spec,
        height=spec.height * factor,
        width=spec.width * factor,
        resize=_times(spec.resize, factor),
        interpolation="bicubic" if min(_picture.size) > 96 else "nearest",
    )
    return large.fitted(_picture)


def _times(resize: int | tuple[int, int] | None, factor: int) -> int | tuple[int, int] | None:
    if isinstance(resize, tuple):
        return resize[0] * factor, resize[1] * factor
    return None if resize is None else resize * factor


def photo_key(model: LoadedModel, picture: ImageInput) -> str:
    """Return the key of ``photo``."""
    return f"{model.spec}{picture.digest}{picture.fit}"


@st.cache_data(max_entries=128, show_spinner=False)
def photo_file(key: str, _photo: Image.Image) -> bytes:
    """Return a photograph as a JPEG file."""
    return _encoded(_photo.convert("RGB"), **_JPEG)


@st.cache_data(max_entries=256, show_spinner=False)
def overlay_file(
    key: str, opacity: float, truth: bool, _photo: Image.Image, _view: View,
    _mask: np.ndarray | None,
) -> bytes:  # fmt: skip
    """Return a map over its photograph as a JPEG file, with the true mask outlined or not.

    Args:
        key: tells result and view apart.
        truth: whether ``_mask`` is drawn.
    """
    laid = pictures.overlay(_photo, _view, opacity)
    if truth and _mask is not None:
        laid = pictures.outlined(laid, _mask)
    return _encoded(laid, **_JPEG)


@st.cache_data(max_entries=64, show_spinner=False)
def frame_file(key: str, _model: LoadedModel, _picture: ImageInput) -> bytes:
    """Return the whole picture with the part that the network sees framed, as a JPEG file."""
    spec = _model.spec
    assert isinstance(spec, ImageSpec)
    width, height = _picture.size
    box = spec.seen_box(width, height) if _picture.fit == "crop" else (0, 0, width, height)
    return _encoded(pictures.framed(_picture.picture, box), **_JPEG)


@st.cache_data(max_entries=8, show_spinner=False)
def key_file(kind: str, _view: View) -> bytes:
    """Return the colour key of a kind of view as a PNG file."""
    return _encoded(pictures.colour_key(_view, (320, 16)), format="PNG")


def _encoded(picture: Image.Image, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, **options)  # type: ignore[arg-type]
    return buffer.getvalue()
