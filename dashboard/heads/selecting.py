"""The one selected head and query patch: told at the top, set by clicks and by widgets."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any, Literal

import plotly.graph_objects as go
import streamlit as st

from components.head_names import named, patch
from components.saying import begun, counted
from dashboard.heads import link
from dashboard.heads.choosing import Side
from dashboard.heads.link import PREFIX
from dashboard.heads.marks import Head, Marks, middle
from dashboard.state import restore

CLICKS = {"select": "selects", "off": "switches off"}
SelectionMode = Literal["points", "box", "lasso"]
_STILL: dict[str, Any] = {"displayModeBar": False}
_TOKEN, _PATCH = "token", "patch"


def settle(side: Side) -> Marks:
    """Bring the marks to what the model has; return them."""
    wanted, asked = st.session_state.pop("h-wanted", (True, None))
    now = link.kept()
    if not wanted:  # begin where there is something to see: heads of the last layer differ most
        now = replace(now, head=(len(side.heads) - 1, 0))
    now = now.within(side.heads)
    grid = grid_of(side, now.head)
    if asked is not None and grid is not None:
        inside = (min(asked[0], grid[0] - 1), min(asked[1], grid[1] - 1))
        now = replace(now, place=middle(*inside, grid))
    link.keep(now, by="head")
    return now


def grid_of(side: Side, head: Head) -> tuple[int, int] | None:
    """Return rows and columns of the patches of a head's layer, or None where not known."""
    assert side.found is not None
    return None if side.found.unplaced else side.found.sites[head[0]].grid


def asking(side: Side, now: Marks) -> tuple[int, int] | None:
    """Return row and column of the patch that asks, on the grid of the head's layer."""
    grid = grid_of(side, now.head)
    if now.place is None or grid is None:
        return None
    row, column = (
        min(int(share * count), count - 1) for share, count in zip(now.place, grid, strict=True)
    )
    return row, column


def token_told(side: Side) -> str:
    """Say what asks while no patch does."""
    assert side.found is not None
    site = side.found.sites[-1]
    return "the class token" if site.prefix + site.suffix else "all patches, on average"


def bar(side: Side, now: Marks) -> None:
    """Show what is selected, and the widgets that select."""
    at = asking(side, now)
    asks = token_told(side) if at is None else f"the patch in {patch(*at)}"
    told = f"**{begun(named(*now.head))}**"
    if grid_of(side, now.head) is not None:
        told += f" · asks: {asks}"
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", border=True, key="heads-bar"
    ):
        st.markdown(told, width="content")
        with st.popover("Choose", icon=":material/tune:"):
            _head_widgets(side, now)
            _patch_widgets(side, now, at)
        restore.aloud(f"{PREFIX}click", "select")
        st.segmented_control(
            "A click on a head",
            list(CLICKS),
            format_func=lambda name: f"A click {CLICKS[name]}",
            key=f"{PREFIX}click",
            label_visibility="collapsed",
            persist_state="session",
            required=True,
            width="content",
        )
        if now.off:
            st.badge(f"{counted(len(now.off), 'head')} off", color="orange")
            st.button("All on", key="heads-all-on", on_click=_all_on, type="tertiary")


def _head_widgets(side: Side, now: Marks) -> None:
    left, right = st.columns(2)
    for place, (column, name) in enumerate(((left, "Layer"), (right, "Head"))):
        count = len(side.heads) if place == 0 else side.heads[now.head[0]]
        key = link.key("head", name.lower())
        st.session_state[key] = now.head[place] + 1
        column.number_input(name, 1, count, key=key, on_change=_from_number, args=(key, place))


def _patch_widgets(side: Side, now: Marks, at: tuple[int, int] | None) -> None:
    grid = grid_of(side, now.head)
    if grid is None:
        return
    asks = link.key("patch", "asks")
    st.session_state[asks] = _TOKEN if at is None else _PATCH
    titles = {_TOKEN: begun(token_told(side)), _PATCH: "A patch"}
    st.selectbox(
        "Asks",
        list(titles),
        format_func=titles.__getitem__,
        key=asks,
        on_change=_from_asks,
        args=(asks, grid),
    )
    if at is None:
        return
    for place, (column, name) in enumerate(zip(st.columns(2), ("Row", "Column"), strict=True)):
        key = link.key("patch", name.lower())
        st.session_state[key] = at[place] + 1
        column.number_input(
            name, 1, grid[place], key=key, on_change=_from_patch, args=(key, place, at, grid)
        )


def _from_number(key: str, place: int) -> None:
    now, value = link.kept(), int(st.session_state[key]) - 1
    head = (value, now.head[1]) if place == 0 else (now.head[0], value)
    link.keep(replace(now, head=head), by="head")


def _from_asks(key: str, grid: tuple[int, int]) -> None:
    asked = st.session_state[key] == _PATCH
    place = middle(grid[0] // 2, grid[1] // 2, grid) if asked else None
    link.keep(replace(link.kept(), place=place), by="patch")


def _from_patch(key: str, place: int, at: tuple[int, int], grid: tuple[int, int]) -> None:
    value = int(st.session_state[key]) - 1
    row, column = (value, at[1]) if place == 0 else (at[0], value)
    link.keep(replace(link.kept(), place=middle(row, column, grid)), by="patch")


def _all_on() -> None:
    link.keep(replace(link.kept(), off=frozenset()))


def chart(
    drawn: go.Figure,
    key: str,
    alt: str,
    pick: Callable[[str], None] | None = None,
    *,
    shape: tuple[int, int] | None = None,
    mode: SelectionMode | tuple[SelectionMode, ...] = "points",
    name: str = "",
) -> None:
    """Show a figure; a click on it selects.

    Args:
        drawn: the figure.
        key: of the chart.
        alt: what it shows, in words.
        pick: called with the key after a click; by default nothing can be picked.
        shape: width and height in pixels at the most; it keeps their ratio at every width.
        mode: what can be selected: points, or also with a box or a lasso.
        name: its frame is called "chart-" and this; by default the key.
    """
    name = name or key
    high: Any = "stretch" if shape else "content"
    if shape is not None:
        drawn.update_layout(height=None)
        _shaped(name, shape)
    with st.container(key=f"chart-{name}"), _frame(name, shape):
        if pick is None:
            st.plotly_chart(drawn, key=key, height=high, config=_STILL, alt=alt)
        else:
            st.plotly_chart(
                drawn,
                key=key,
                height=high,
                on_select=lambda: pick(key),
                selection_mode=mode,
                config=_STILL,
                alt=alt,
            )


def _frame(key: str, shape: tuple[int, int] | None) -> AbstractContextManager[Any]:
    return nullcontext() if shape is None else st.container(key=f"shaped-{key}")


def _shaped(key: str, shape: tuple[int, int]) -> None:
    wide, high = shape
    st.html(
        f"<style>.st-key-shaped-{key} {{ aspect-ratio: {wide} / {high}; max-width: {wide}px; }}"
        "</style>"
    )


def pick_head(key: str) -> None:
    """Take the head that was clicked, or switch it off or on, as the clicks are set."""
    data = picked(key)
    if data is None:
        return
    head, now = (data[0], data[1]), link.kept()
    if st.session_state.get(f"{PREFIX}click") == "off":
        link.keep(now.toggled(head))
    else:
        link.keep(replace(now, head=head))


def pick_alone(key: str) -> None:
    """Take the head that was clicked, however clicks are set."""
    data = picked(key)
    if data is not None:
        link.keep(replace(link.kept(), head=(data[0], data[1])))


def picked(key: str) -> list[int] | None:
    """Return what a clicked mark stands for, or None."""
    points = st.session_state[key]["selection"]["points"]
    return [int(part) for part in points[0]["customdata"]] if points else None
