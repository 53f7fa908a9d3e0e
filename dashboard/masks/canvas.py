"""The mask over the picture, and the tools that draw on it; each has a twin for the keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from PIL import Image

from components import mask_canvas
from components.mask_canvas import Tool
from components.words import sentence
from dashboard.heads import selecting
from dashboard.masks import link, strokes
from dashboard.masks.link import PREFIX
from dashboard.running import masks as running
from dashboard.state import restore
from engine.errors import HaloscopeError
from engine.inputs.images import load_image
from engine.missingness.drawings import drawn_mask

if TYPE_CHECKING:
    from dashboard.masks.choosing import Asked

SIDE = 544  # pixels, at the most
SUPERPIXELS = 24
_FINEST = 64  # cells along a side that still can be drawn on
_TOOLS = {"box": "Box", "lasso": "Lasso", "cell": "Cell", "region": "Superpixel"}
_STROKES = {"hide": "Hide", "show": "Show"}
_NUMBER = f"{PREFIX}superpixel"
_CORNERS = f"{PREFIX}corners"
_UPLOADED = "m-drawn-error"


def card(asked: Asked, photo: Image.Image, keep: np.ndarray, told: str) -> None:
    """Show the mask; with tools, where it is drawn.

    Args:
        asked: what is chosen.
        photo: what the network sees.
        keep: bool ``(rows, columns)``, True = stays.
        told: what it shows, in words.
    """
    by_hand = asked.generator.guide == "drawn"
    grid = _grid(asked) if by_hand else keep.shape
    tool: Tool = st.session_state.setdefault(f"{PREFIX}tool", "box") if by_hand else ""
    regions = _regions(asked) if tool == "region" else None
    shown = grid if max(grid) <= _FINEST else (_FINEST, _FINEST)
    selecting.chart(
        mask_canvas.figure(photo, keep, shown, tool, regions),
        f"m-canvas-{link.version()}-{tool}" if by_hand else "m-mask",
        told,
        (lambda key: _stroke(key, tool, shown, asked)) if by_hand else None,
        shape=(SIDE, round(SIDE * photo.height / photo.width)),
        mode=("points", "box", "lasso"),
        name="mask",
    )
    if by_hand:
        _tool()
        _edits(asked, tool)
    else:
        st.button(
            "Draw on it", icon=":material/draw:", key="m-draw", on_click=take,
            args=(keep, asked.size), help="Goes on from this mask by hand.",
        )  # fmt: skip


def take(keep: np.ndarray, size: tuple[int, int]) -> None:
    """Make a mask the drawing, to go on from it by hand."""
    before = link.drawing(size)
    link.keep(before.changed(strokes.on_pixels(keep, size)))
    st.session_state[f"{PREFIX}generator"] = "drawn"


def _grid(asked: Asked) -> tuple[int, int]:
    rows, columns = asked.grid
    return min(rows, _FINEST), min(columns, _FINEST)


def _tool() -> None:
    """Show the chooser of tools, and whether they hide or show."""
    with st.container(horizontal=True, vertical_alignment="center", key="m-tools"):
        restore.aloud(f"{PREFIX}tool", "box")
        tool = st.segmented_control(
            "Tool",
            list(_TOOLS),
            format_func=_TOOLS.__getitem__,
            key=f"{PREFIX}tool",
            label_visibility="collapsed",
            persist_state="session",
            required=True,
        )
        restore.aloud(f"{PREFIX}stroke", "hide")
        if tool in ("box", "lasso"):
            st.segmented_control(
                "What it does",
                list(_STROKES),
                format_func=_STROKES.__getitem__,
                key=f"{PREFIX}stroke",
                label_visibility="collapsed",
                persist_state="session",
                required=True,
            )
        else:
            st.caption("A click hides it, or shows it again.", width="content")


def _hides() -> bool:
    return bool(st.session_state.get(f"{PREFIX}stroke", "hide") != "show")


def _regions(asked: Asked) -> np.ndarray:
    assert asked.model is not None and asked.picture is not None
    return running.superpixels(asked.model, asked.picture, SUPERPIXELS)


def _stroke(key: str, tool: str, grid: tuple[int, int], asked: Asked) -> None:
    """Take a box, a lasso or a click into the drawing."""
    selection = st.session_state[key]["selection"]
    now, size = link.drawing(asked.size), asked.size
    if tool in ("cell", "region"):
        data = selecting.picked(key)
        if data is None:
            return
        if tool == "region":
            link.keep(now.toggled(_regions(asked) == data[0]))
        else:
            cell = strokes.in_box(grid, (data[1], data[1]), (data[0], data[0]))
            link.keep(now.toggled(strokes.on_pixels(cell, size)))
        return
    cells = np.zeros(grid, dtype=bool)
    for box in selection["box"]:
        cells |= strokes.in_box(grid, box["x"], box["y"])
    for lasso in selection["lasso"]:
        cells |= strokes.in_lasso(grid, lasso["x"], lasso["y"])
    if cells.any():
        link.keep(now.drawn(strokes.on_pixels(cells, size), hide=_hides()))


def _edits(asked: Asked, tool: str) -> None:
    now = link.drawing(asked.size)
    with st.container(horizontal=True, gap="small", key="m-edits"):
        st.button("Undo", key="m-undo", disabled=not now.past, on_click=_undo, args=(asked.size,))
        st.button(
            "Clear", key="m-clear", disabled=bool(now.keep.all()), on_click=_clear,
            args=(asked.size,),
        )  # fmt: skip
        st.button("Invert", key="m-invert", on_click=_invert, args=(asked.size,))
        with st.popover("By numbers"):
            if tool == "region":
                _superpixel_by_number(asked)
            elif tool == "lasso":
                _lasso_by_numbers(asked)
            else:
                _box_by_numbers(asked)
        with st.popover("Upload"):
            _upload(asked)


def _undo(size: tuple[int, int]) -> None:
    link.keep(link.drawing(size).undone())


def _clear(size: tuple[int, int]) -> None:
    link.keep(link.drawing(size).changed(np.ones(size, dtype=bool)))


def _invert(size: tuple[int, int]) -> None:
    now = link.drawing(size)
    link.keep(now.changed(~now.keep))


def _box_by_numbers(asked: Asked) -> None:
    """Rows and columns of a box, or of a cell."""
    grid = _grid(asked)
    for (axis, count), columns in zip(_counts(grid), (st.columns(2), st.columns(2)), strict=True):
        for column, end in zip(columns, ("from", "to"), strict=True):
            key = f"{PREFIX}{axis}-{end}"
            first = count // 4 + 1 if end == "from" else max(1, 3 * count // 4)
            st.session_state[key] = min(int(st.session_state.get(key, first)), count)
            column.number_input(f"{axis.capitalize()} {end}", 1, count, key=key)
    for column, (name, title) in zip(st.columns(2), _STROKES.items(), strict=True):
        column.button(
            f"{title} them", key=f"m-box-{name}", width="stretch", on_click=_take_box,
            args=(grid, asked.size, name == "hide"),
        )  # fmt: skip


def _counts(grid: tuple[int, int]) -> tuple[tuple[str, int], tuple[str, int]]:
    return ("rows", grid[0]), ("columns", grid[1])


def _take_box(grid: tuple[int, int], size: tuple[int, int], hide: bool) -> None:
    """Take the box of the numbers as they stand now: a click may come before they are drawn."""
    rows, columns = (
        [int(st.session_state[f"{PREFIX}{axis}-{end}"]) - 1 for end in ("from", "to")]
        for axis, _ in _counts(grid)
    )
    where = strokes.on_pixels(strokes.in_box(grid, columns, rows), size)
    link.keep(link.drawing(size).drawn(where, hide=hide))


def _lasso_by_numbers(asked: Asked) -> None:
    """Corners of a lasso, one after the other."""
    grid, state = _grid(asked), st.session_state
    state.setdefault(_CORNERS, "")
    st.text_input(
        "Corners",
        key=_CORNERS,
        placeholder=f"1 1, 1 {grid[1]}, {grid[0]} {(grid[1] + 1) // 2}",
        help="Row and column of each corner, counted from 1, with commas between corners.",
    )
    for column, (name, title) in zip(st.columns(2), _STROKES.items(), strict=True):
        column.button(
            f"{title} what is inside", key=f"m-lasso-{name}", width="stretch",
            on_click=_take_lasso, args=(grid, asked.size, name == "hide"),
        )  # fmt: skip
    wrong = state.pop(f"{_CORNERS}-wrong", "")
    if wrong:
        st.error(sentence(wrong))


def _take_lasso(grid: tuple[int, int], size: tuple[int, int], hide: bool) -> None:
    try:
        x, y = strokes.corners_of(st.session_state[_CORNERS], grid)
    except HaloscopeError as error:
        st.session_state[f"{_CORNERS}-wrong"] = str(error)
        return
    where = strokes.on_pixels(strokes.in_corners(grid, x, y), size)
    link.keep(link.drawing(size).drawn(where, hide=hide))


def _superpixel_by_number(asked: Asked) -> None:
    regions = _regions(asked)
    st.number_input(
        "Superpixel", 1, int(regions.max()) + 1, key=_NUMBER,
        help="Pointing at one tells its number.",
    )  # fmt: skip
    st.button(
        "Hide it, or show it again", key="m-superpixel", width="stretch", on_click=_take_superpixel,
        args=(regions,),
    )  # fmt: skip


def _take_superpixel(regions: np.ndarray) -> None:
    number = int(st.session_state[_NUMBER]) - 1
    link.keep(link.drawing((len(regions), regions.shape[1])).toggled(regions == number))


def _upload(asked: Asked) -> None:
    st.file_uploader(
        "A mask as a picture: white stays, black is hidden", type=["png", "bmp", "tiff", "webp"],
        key=f"{PREFIX}drawn-file", on_change=_take_upload, args=(asked,),
        help="As large as the picture, or as what the network sees. It stays in this session.",
    )  # fmt: skip
    error = st.session_state.get(_UPLOADED)
    if error:
        st.error(sentence(error))


def _take_upload(asked: Asked) -> None:
    file = st.session_state.get(f"{PREFIX}drawn-file")
    st.session_state[_UPLOADED] = ""
    if file is None or asked.model is None or asked.picture is None:
        return
    try:
        picture = load_image(file.getvalue(), name=file.name)
        found = drawn_mask(asked.model, asked.picture, picture)
    except HaloscopeError as error:
        st.session_state[_UPLOADED] = str(error)
        return
    take(found, asked.size)
