"""Where heads look: the selected one over the picture, and all of them as one mosaic."""

from __future__ import annotations

from dataclasses import replace

import plotly.graph_objects as go
import streamlit as st

from components import head_axes, head_mosaic, head_on_image, head_words
from components.saying import counted
from components.words import plain
from dashboard.explore import drawing
from dashboard.heads import link, selecting
from dashboard.heads.choosing import Side
from dashboard.heads.link import PREFIX
from dashboard.heads.marks import Head, Marks, middle, there
from dashboard.running import heads as running
from dashboard.running.models import identity
from dashboard.state import restore
from engine.head_results import Place
from engine.inputs.images import ImageInput
from engine.models.loaded import LoadedModel

_SIDE = 544  # pixels, at the most
_EMPTY = (
    "All heads are on. Let a click switch off, or take the least important ones above: where the "
    "heads look then will stand here, beside where they look now."
)
_WHOSE = {"off": "Heads off", "on": "All on"}


def own_off(side: Side, now: Marks) -> frozenset[tuple[int, int]]:
    """Return the heads that are off and that a side's model has."""
    return there(now.off, side.heads)


def on_picture(side: Side, now: Marks) -> None:
    """Show the selected head over the picture; a click picks the patch that asks."""
    assert side.model is not None and side.picture is not None
    layer, head = now.within(side.heads).head
    off = own_off(side, now)
    with st.container(border=True, height="stretch", key=f"card-look-{side.name}"):
        with st.container(
            horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"
        ):
            st.markdown(
                "**Where it looks** :gray[:small[click the patch that asks]]", width="content"
            )
            shown = _whose(side) if off else "on"
        maps = running.maps(side.model, side.picture, off if shown == "off" else ())
        values = maps.seen(layer, head, now.place)
        asks = None if now.place is None else maps.patch_at(layer, now.place)
        photo = drawing.photo(drawing.photo_key(side.model, side.picture), side.model, side.picture)
        said = head_words.looking_sentence(maps, layer, head, now.place)
        grid = maps.grids[layer]
        selecting.chart(
            head_on_image.figure(photo, values, asks),
            f"look-{side.name}",
            said,
            lambda key: _pick_patch(key, grid),
            shape=(_SIDE, _SIDE),
        )
        st.markdown(plain(said))


def _whose(side: Side) -> str:
    key = f"{PREFIX}whose-{side.name}"
    restore.aloud(key, "off")
    return (
        st.segmented_control(
            "Shown with",
            list(_WHOSE),
            format_func=_WHOSE.__getitem__,
            key=key,
            label_visibility="collapsed",
            persist_state="session",
            required=True,
            width="content",
        )
        or "off"
    )


def _pick_patch(key: str, grid: tuple[int, int]) -> None:
    at = selecting.picked(key)
    if at is not None:
        link.keep(replace(link.kept(), place=middle(at[0], at[1], grid)))


def mosaics_beside(sides: list[Side], now: Marks) -> None:
    """Show all heads of two sides, as they are left."""
    for column, side in zip(st.columns(2), sides, strict=True):
        if not side.usable or side.found is None or side.found.unplaced:
            continue
        off = own_off(side, now)
        title = f"With {counted(len(off), 'head')} off" if off else "All heads"
        with column:
            _mosaic(side, now, off, title, "mosaic")


def mosaics(side: Side, now: Marks) -> None:
    """Show all heads; with some of them off beside the original."""
    off = own_off(side, now)
    left, right = st.columns(2)
    with right:  # first what a click changes
        if off:
            _mosaic(side, now, off, f"With {counted(len(off), 'head')} off", "mosaic-off")
        else:
            st.info(_EMPTY, icon=":material/toggle_off:")
    with left:
        _mosaic(side, now, frozenset(), "All heads on" if off else "All heads", "mosaic")


def _mosaic(side: Side, now: Marks, off: frozenset[Head], title: str, key: str) -> None:
    """Show all heads with some of them off, which are struck out."""
    assert side.model is not None and side.picture is not None
    chosen = now.within(side.heads).head
    with st.container(border=True, key=f"card-{key}-{side.name}"):
        st.markdown(f"**{title}** :gray[:small[each up to its own largest weight]]")
        drawn, (across, down) = _drawn_mosaic(side.model, side.picture, now.place, chosen, off)
        selecting.chart(
            drawn,
            f"{key}-{side.name}",
            f"{title}: small maps of where each head looks, layers from top to bottom.",
            selecting.pick_head,
            shape=(across + head_axes.LEFT, down + head_axes.BELOW),
        )


def _drawn_mosaic(
    model: LoadedModel, picture: ImageInput, place: Place | None, chosen: Head, off: frozenset[Head]
) -> tuple[go.Figure, tuple[int, int]]:
    """Return the mosaic and its size in pixels; drawn once, it is the largest figure here."""

    def draw() -> tuple[go.Figure, tuple[int, int]]:
        maps = running.maps(model, picture, off)
        return head_mosaic.figure(maps, place, chosen, off), head_mosaic.layout_of(maps).size

    key = ("mosaic", identity(model), picture.digest, picture.fit, place, chosen, off)
    return running.once(key, draw)
